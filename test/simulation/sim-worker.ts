/**
 * One incarnation of a worker in a simulated schedule: the real ledger, leases, watches, scripts and statements,
 * moved step by step. A crash is an exception thrown at a waypoint, after which nothing of it runs any more;
 * a paused worker keeps its memory and goes on with it later, as a stopped process does.
 */
import { SweepmillError } from '../../src/base/errors.js'
import { seededRandom } from '../../src/base/random.js'
import { RedisTaskStream } from '../../src/queue/redis-task-stream.js'
import { AttemptLedger } from '../../src/runtime/attempt-ledger.js'
import { FleetWatch } from '../../src/runtime/fleet-watch.js'
import { LapseWatch } from '../../src/runtime/lapse-watch.js'
import { LeaseKeeper } from '../../src/runtime/lease-keeper.js'
import { Publisher } from '../../src/runtime/publisher.js'
import { DeadLetterProjection } from '../../src/runtime/dead-letter-projection.js'
import { Reconciler } from '../../src/runtime/reconciler.js'
import { Recovery } from '../../src/runtime/recovery.js'
import { PostgresAttemptStore } from '../../src/store/attempt-store.js'
import type { Postgres } from '../../src/store/postgres.js'
import { PostgresDeadLetterDesk } from '../../src/store/dead-letter-desk.js'
import { PostgresFleet } from '../../src/store/fleet.js'
import { PostgresPublicationBook } from '../../src/store/publication-book.js'
import { PostgresTaskDesk } from '../../src/store/task-desk.js'
import { PostgresTaskIntake } from '../../src/store/task-intake.js'
import { silentObserver } from '../../src/tasks/observer.js'
import { outcomeOfError } from '../../src/tasks/retry-policy.js'
import type { AttemptStore } from '../../src/tasks/task-store.js'
import type { Attempt, Outcome, TaskPriority } from '../../src/tasks/task.js'
import type { PendingEntry } from '../../src/tasks/task-stream.js'
import type { Waypoint } from '../../src/tasks/waypoint.js'
import type { SimClock } from './sim-clock.js'

export const LEASE_MS = 1000

/** The end of a process, thrown where it happens. */
export class Crash extends Error {}

export interface Running {
  readonly attempt: Attempt
  readonly release: () => void
  stopped: SweepmillError | null
}

export interface SimWorkerOptions {
  readonly id: string
  readonly redisUrl: string
  readonly keyPrefix: string
  readonly scriptClock: string
  readonly postgres: Postgres
  readonly clock: SimClock
  /** What a Redis that restarted says of itself. */
  readonly redisLife: () => string
  readonly seed: number
}

/** Ends an attempt in one of the ways a step can end. */
export type Ending = 'complete' | 'transient' | 'permanent' | 'release'

export class SimWorker {
  readonly id: string
  alive = true
  paused = false
  /** When it last renewed its leases and beat. */
  keptMs: number
  crashAt: Waypoint | null = null
  /** The next open or finish is committed, but its answer never arrives. */
  loseReply = false
  readonly running: Running[] = []
  readonly #stream: RedisTaskStream
  readonly #keeper: LeaseKeeper
  readonly #ledger: AttemptLedger
  readonly #recovery: Recovery
  readonly #publisher: Publisher
  readonly #attempts: PostgresAttemptStore
  readonly #clock: SimClock
  readonly #random
  #offer: readonly PendingEntry[] = []

  constructor(options: SimWorkerOptions) {
    const { id, postgres, clock } = options
    this.id = id
    this.#clock = clock
    this.keptMs = clock.nowMs
    this.#random = seededRandom(options.seed)
    const stream = new RedisTaskStream({ redisUrl: options.redisUrl, keyPrefix: options.keyPrefix, consumer: id, pollMs: 10, scriptClock: options.scriptClock })
    const waypoint = (point: Waypoint): void => {
      if (!this.alive) throw new Crash()
      if (this.crashAt !== point) return
      this.alive = false
      throw new Crash()
    }
    const observer = silentObserver
    const book = new PostgresPublicationBook(postgres, LEASE_MS)
    const fleet = new PostgresFleet(postgres)
    const deadLetters = new PostgresDeadLetterDesk(postgres)
    this.#stream = stream
    this.#attempts = new PostgresAttemptStore(postgres, id, LEASE_MS)
    // No process key: whether it lives is judged by its silence, as on another host.
    const incarnation = { id, workerName: 'sim', host: 'elsewhere', pid: 1, processKey: null, threads: 1, role: 'worker' as const, engine: null, stopped: false }
    this.#keeper = new LeaseKeeper({ consumer: stream, fleet, book, incarnation, observer, clock, leaseMs: LEASE_MS, renewalMs: LEASE_MS / 3 })
    this.#ledger = new AttemptLedger({ consumer: stream, attempts: this.#lossy(), desk: new PostgresTaskDesk(postgres), book, deadLetters, keeper: this.#keeper, observer, clock, owner: id, waypoint })
    const reconciler = new Reconciler({ book, letters: new DeadLetterProjection(stream.deadLetters, deadLetters), observer, leaseMs: LEASE_MS, stream: {
      publish: (items) => stream.publish(items), missing: (tasks) => stream.missing(tasks), depths: () => stream.depths(), lengths: () => stream.lengths(),
      withdraw: (tasks) => stream.withdraw(tasks), checkpointFeed: (...args) => stream.checkpointFeed(...args),
      identity: async (fresh) => ({ epoch: (await stream.identity(fresh)).epoch, runId: options.redisLife() }),
    } })
    const watch = new LapseWatch({ consumer: stream, clock, leaseMs: LEASE_MS, inHand: (entry) => this.#keeper.holds(entry) })
    this.#recovery = new Recovery({
      reconciler, watch, fleetWatch: new FleetWatch(fleet, clock, LEASE_MS), consumer: stream, offer: () => undefined, clock,
      intervalMs: LEASE_MS, leaseMs: LEASE_MS, log: () => undefined,
    })
    this.#publisher = new Publisher({ stream, intake: new PostgresTaskIntake(postgres), book, observer, clock, capacity: 1000, waypoint })
  }

  /** The real store behind a connection that may break after the commit. */
  #lossy(): AttemptStore {
    const lose = async <T>(answer: Promise<T>): Promise<T> => {
      const result = await answer
      if (!this.loseReply) return result
      this.loseReply = false
      throw new SweepmillError('POSTGRES_UNAVAILABLE', 'the answer was lost')
    }
    const store = this.#attempts
    return {
      open: (requests, owner) => lose(store.open(requests, owner)), finish: (requests) => lose(store.finish(requests)),
      checkpoint: (...args) => store.checkpoint(...args), progress: (items) => store.progress(items), quarantine: (...args) => store.quarantine(...args),
    }
  }

  get idle(): boolean { return !this.alive || this.paused }

  async start(): Promise<void> { await this.#keeper.keep() }

  async enqueue(priority: TaskPriority, schedule: string, delayMs: number, retries: number): Promise<void> {
    await this.#publisher.accept([{
      taskType: 'sim', data: { schedule }, priority, maxRetries: retries,
      ...(delayMs === 0 ? {} : { notBefore: new Date(Date.now() + delayMs).toISOString() }),
    }], false)
  }

  /** The attempts that were opened. */
  async pick(count: number): Promise<Attempt[]> {
    const offer = this.#offer
    this.#offer = []
    const pick = await this.#stream.pick({ high: count, medium: count, low: count }, count, offer)
    if (pick.groupsCreated > 0 || pick.ghosts.length > 0) this.#recovery.distrust()
    const opened = await this.#ledger.open(pick.deliveries)
    for (const attempt of opened) {
      const release = this.#keeper.hold({ taskId: attempt.taskId, priority: attempt.priority, messageId: attempt.messageId, check: () => undefined, stop: (reason) => { running.stopped = reason } })
      const running: Running = { attempt, release, stopped: null }
      this.running.push(running)
    }
    return opened
  }

  async renew(): Promise<void> {
    await this.#keeper.keep()
    this.keptMs = this.#clock.nowMs
  }

  async recover(): Promise<void> {
    this.#offer = (await this.#recovery.round()).lapsed
  }

  /** The attempt whose checkpoint was written, or null when there is none or the fence refused it. */
  async checkpoint(n: number): Promise<Attempt | null> {
    const attempt = this.running[n % Math.max(1, this.running.length)]?.attempt
    if (attempt === undefined) return null
    return await this.#attempts.checkpoint(attempt.taskId, attempt.attempt, 'sim', '{}') ? attempt : null
  }

  /** The attempt that ended and whether its end was committed. */
  async finish(n: number, ending: Ending): Promise<{ readonly attempt: Attempt; readonly outcome: Outcome; readonly committed: boolean } | null> {
    const [running] = this.running.splice(n % Math.max(1, this.running.length), 1)
    if (running === undefined) return null
    const { attempt, release } = running
    const outcome = this.#outcome(running, ending)
    try {
      return { attempt, outcome, committed: await this.#ledger.close(attempt, outcome, this.#clock.nowMs) === 'committed' }
    } finally {
      release()
    }
  }

  #outcome({ attempt, stopped }: Running, ending: Ending): Outcome {
    if (stopped !== null && stopped.code !== 'LEASE_LOST') return outcomeOfError(attempt, stopped.toData(), RETRY, this.#random)
    switch (ending) {
      case 'complete': return { kind: 'completed', resultJson: JSON.stringify({ attempt: attempt.attempt, by: this.id }) }
      case 'transient': return outcomeOfError(attempt, { code: 'THREAD_LOST', message: 'sim' }, RETRY, this.#random)
      case 'permanent': return outcomeOfError(attempt, { code: 'SPEC_INVALID', message: 'sim' }, RETRY, this.#random)
      case 'release': return { kind: 'released', why: 'sim', delayMs: 0 }
    }
  }

  async close(): Promise<void> { await this.#stream.close() }
}

const RETRY = { baseMs: 500, capMs: 5000 }
