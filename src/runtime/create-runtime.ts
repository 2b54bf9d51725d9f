/**
 * The composition root: the one place where Redis, Postgres, the threads and the domain meet.
 *
 * A `worker` serves the streams. A `session` is a command that waits for its own task: it computes that task
 * here and takes nothing else. A `client` only submits and looks.
 */
import { jsonValue } from '../base/json-value.js'
import { systemClock } from '../base/clock.js'
import type { Clock } from '../base/clock.js'
import { SweepmillError } from '../base/errors.js'
import { newNonce } from '../base/ids.js'
import { seededRandom } from '../base/random.js'
import { RedisTaskStream } from '../queue/redis-task-stream.js'
import type { SagaObserver } from '../saga/saga-orchestrator.js'
import { PostgresArtifactStore } from '../store/artifact-store.js'
import { PostgresAttemptStore } from '../store/attempt-store.js'
import { openExchanges } from '../exchange/exchanges.js'
import { leaseLost } from '../tasks/lease-lost.js'
import { PostgresBarSeriesStore } from '../store/bar-series.js'
import { PostgresSeriesHistory } from '../store/series-revisions.js'
import { PostgresBarArchive } from '../store/bar-archive.js'
import { PostgresDeadLetterDesk } from '../store/dead-letter-desk.js'
import { PostgresFleet } from '../store/fleet.js'
import { migrate } from '../store/migrate.js'
import { NoticeBell } from '../store/notice-bell.js'
import { PostgresPauseBook } from '../store/pause-book.js'
import { Postgres } from '../store/postgres.js'
import { PostgresPublicationBook } from '../store/publication-book.js'
import { PostgresRetention } from '../store/retention.js'
import { PostgresSagaDesk } from '../store/saga-desk.js'
import { PostgresSagaLog } from '../store/saga-log.js'
import { PostgresScheduleStore } from '../store/schedule-store.js'
import { PostgresStrategyBook } from '../store/strategy-book.js'
import { PostgresSweepStore } from '../store/sweep-store.js'
import { PostgresTaskDesk } from '../store/task-desk.js'
import { PostgresTaskIntake } from '../store/task-intake.js'
import type { ComputePool } from '../tasks/compute-pool.js'
import { silentObserver } from '../tasks/observer.js'
import type { QueueObserver } from '../tasks/observer.js'
import type { RetryPolicy } from '../tasks/retry-policy.js'
import type { PassWaypoint } from '../tasks/waypoint.js'
import { backtestWorkflow } from '../workflows/backtest.js'
import { dataSyncWorkflow } from '../workflows/data-sync.js'
import { cleanupWorkflow } from '../workflows/cleanup.js'
import { optimizationWorkflow } from '../workflows/optimization.js'
import { WorkflowCatalog } from '../workflows/workflow-catalog.js'
import { register } from '../workflows/workflow.js'
import type { RegisteredWorkflow } from '../workflows/workflow.js'
import { AttemptLedger } from './attempt-ledger.js'
import { BarCache } from './bar-cache.js'
import type { Config } from './config.js'
import { engineVersion } from '../base/engine-version.js'
import { DeadLetterOffice } from './dead-letter-office.js'
import { DeadLetterProjection } from './dead-letter-projection.js'
import { FleetWatch } from './fleet-watch.js'
import { thisIncarnation } from './incarnation.js'
import { IntakeRoom } from './intake-room.js'
import { LapseWatch } from './lapse-watch.js'
import { LeaseKeeper } from './lease-keeper.js'
import { deliverOwnSweeps } from './own-sweeps.js'
import { PauseGate } from './pause-gate.js'
import { ProgressBoard } from './progress-board.js'
import { ProjectedRetention } from './projected-retention.js'
import { Publisher } from './publisher.js'
import { Reconciler } from './reconciler.js'
import { Recovery } from './recovery.js'
import { readRuntime } from './runtime-reading.js'
import type { RuntimeReading } from './runtime-reading.js'
import { SagaOffice } from './saga-office.js'
import { ScheduleBook } from './schedule-book.js'
import { Scheduler } from './scheduler.js'
import { StrategyOffice } from './strategy-office.js'
import { accept, optionsFor, prepare, store } from './submission.js'
import { SweepExport } from './sweep-export.js'
import { TaskBackend } from './task-backend.js'
import { TaskQueue } from './task-queue.js'
import { StoredSeries } from './stored-series.js'
import { SessionSource, StreamSource } from './task-source.js'
import { TaskWorker } from './task-worker.js'

export type RuntimeRole = 'worker' | 'session' | 'client'

export type RuntimeLog = (level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>>) => void

export interface RuntimeOptions<Health> {
  readonly config: Config
  readonly redisUrl: string
  readonly databaseUrl: string
  readonly role: RuntimeRole
  /** Not closed by the runtime: the caller may have used it before there were services. */
  readonly pool: ComputePool
  readonly health: (reading: RuntimeReading) => Health
  readonly observers?: { readonly queue: QueueObserver; readonly saga: SagaObserver; barsProcessed(bars: number): void }
  readonly log?: RuntimeLog
  readonly clock?: Clock
  readonly retry?: RetryPolicy
  /** For fault tests: called at named points of a task's life. */
  readonly waypoint?: PassWaypoint
  /** Beside the built-in ones: for embedding programs. */
  readonly workflows?: readonly RegisteredWorkflow[]
}

export interface Runtime<Health> {
  readonly consumer: string
  readonly backend: TaskBackend<Health>
  readonly queue: TaskQueue
  readonly worker: TaskWorker
  readonly stream: RedisTaskStream
  /** Starts leases and, for a worker or session, the dispatcher and recovery. */
  start(): Promise<void>
  /** The task that a session computes. */
  serve(taskId: string): void
  /** True when a living worker serves these streams, so that a session need not compute. */
  workerIsAlive(): Promise<boolean>
  prepare: (request: Parameters<typeof prepare>[0]) => ReturnType<typeof prepare>
  accept: (prepared: Awaited<ReturnType<typeof prepare>>) => ReturnType<typeof accept>
  reading(): Promise<RuntimeReading>
  /** Bytes of market data in memory, and the budget. */
  dataMemory(): { readonly usedBytes: number; readonly budgetBytes: number }
  /** Drains within `drainMs`, then lets go of both services. */
  close(drainMs?: number): Promise<void>
}

/** Connects, migrates, and wires everything. Throws the first error with a code and lets go of what was opened. */
export async function createRuntime<Health>(options: RuntimeOptions<Health>): Promise<Runtime<Health>> {
  const { config, pool, role } = options
  const clock = options.clock ?? systemClock
  const log = options.log ?? (() => undefined)
  const observer = options.observers?.queue ?? silentObserver
  const incarnation = thisIncarnation(config.workerName, pool.threads, role === 'worker' ? 'worker' : 'session')
  const postgresOptions = { databaseUrl: options.databaseUrl, applicationName: `sweepmill ${incarnation.id}` }
  const postgres = new Postgres(postgresOptions)
  const stream = new RedisTaskStream({ redisUrl: options.redisUrl, keyPrefix: config.keyPrefix, consumer: incarnation.id, pollMs: config.pollIntervalMs, weights: config.priorityWeights })
  try {
    await Promise.all([stream.connect(), migrate(postgres)])
    // Who takes tasks must be able to: a client looks, and what it submits is published by a worker, if need be.
    if (role !== 'client') await stream.serving()
  } catch (error) {
    await Promise.allSettled([stream.close(), postgres.close()])
    throw error
  }

  const waypoint = options.waypoint ?? (() => undefined)
  const intake = new PostgresTaskIntake(postgres)
  const book = new PostgresPublicationBook(postgres, config.leaseMs)
  const attempts = new PostgresAttemptStore(postgres, incarnation.id, config.leaseMs)
  const desk = new PostgresTaskDesk(postgres)
  const deadLetters = new PostgresDeadLetterDesk(postgres)
  const letters = new DeadLetterProjection(stream.deadLetters, deadLetters)
  const fleet = new PostgresFleet(postgres)
  const archive = new PostgresBarArchive(postgres)
  const series = new PostgresBarSeriesStore(postgres)
  const storedSeries = new StoredSeries({ store: series, revisions: new PostgresSeriesHistory(postgres), pool, clock })
  const exchanges = openExchanges(config)
  const artifacts = new PostgresArtifactStore(postgres)
  const sweeps = new PostgresSweepStore(postgres, config.leaseMs)
  const retention = new ProjectedRetention(new PostgresRetention(postgres), letters)
  const bars = new BarCache(archive, pool, clock, config.dataMemoryMb * 2 ** 20)
  const gate = new PauseGate(new PostgresPauseBook(postgres), clock, config.leaseRenewalMs)
  const board = new ProgressBoard(attempts, observer, clock)
  const keeper = new LeaseKeeper({ consumer: stream, fleet, book, incarnation, observer, clock, leaseMs: config.leaseMs, renewalMs: config.leaseRenewalMs })
  const ledger = new AttemptLedger({ consumer: stream, attempts, desk, book, deadLetters, keeper, observer, clock, owner: incarnation.id, waypoint })
  const watch = new LapseWatch({ consumer: stream, clock, leaseMs: config.leaseMs, inHand: (entry) => keeper.holds(entry) })
  const reconciler = new Reconciler({ stream, book, letters, observer, leaseMs: config.leaseMs })
  const publisher = new Publisher({ stream, intake, book, observer, clock, capacity: config.streamCapacity, waypoint })
  const random = seededRandom(Number.parseInt(newNonce(), 16))
  const fleetWatch = new FleetWatch(fleet, clock, config.leaseMs)

  let served: string | null = null
  const source = role === 'worker'
    ? new StreamSource(stream, gate, config.pollIntervalMs, () => recovery.distrust())
    : new SessionSource({ stream, gate, desk, clock, taskId: () => served, deadConsumers: async () => (await fleetWatch.look()).dead })
  const workflows = new WorkflowCatalog([register(backtestWorkflow), register(optimizationWorkflow), register(cleanupWorkflow), register(dataSyncWorkflow), ...options.workflows ?? []])
  let looking: Promise<RuntimeReading> | null = null
  // Probes come whether or not the one before was answered: they share a look, so that none piles up on a silent server.
  const reading = (): Promise<RuntimeReading> => looking ??= readRuntime({ postgres, stream, gate, sweeps, pool, clock, worker }).finally(() => { looking = null })
  const worker: TaskWorker = new TaskWorker({
    source, ledger, keeper, observer, waypoint, pool, workflows, clock, random, log,
    saga: { log: new PostgresSagaLog(postgres, incarnation.id), clock, waypoint, undoBudget: { tries: 5, pauseMs: 200, timeoutMs: 60_000 }, ...(options.observers === undefined ? {} : { observer: options.observers.saga }) },
    tools: { bars, archive, series, artifacts, sweeps, retention, exchanges, checkSeries: (key) => storedSeries.check(key), clock, threads: pool.threads, engineVersion, barsProcessed: (count) => options.observers?.barsProcessed(count) },
    checkpoints: {
      save: async ({ taskId, attempt }, step, data) => {
        if (!await attempts.checkpoint(taskId, attempt, step, JSON.stringify(jsonValue(data ?? null, 'data', 'keep')))) throw leaseLost(taskId, 'checkpoint')
      },
      last: (taskId, step) => desk.lastCheckpoint(taskId, step),
    },
    onProgress: (attempt, progress) => board.report(attempt, progress),
    onEnded: (attempt) => board.ended(attempt.taskId),
    slots: config.maxTasksPerBatch, maxBatch: config.maxTasksPerBatch,
    healthCheck: async () => options.health(await reading()),
    ...(options.retry === undefined ? {} : { retry: options.retry }),
  })
  const recovery: Recovery = new Recovery({
    reconciler, watch, fleetWatch, consumer: stream, offer: (lapsed) => { source.offer(lapsed) }, clock, intervalMs: config.recoveryIntervalMs, leaseMs: config.leaseMs,
    log: (message, fields) => log('info', message, fields),
  })
  const schedules = new PostgresScheduleStore(postgres)
  const scheduler = new Scheduler({ store: schedules, publisher, clock, log: (message, fields) => log('info', message, fields) })
  const bell = new NoticeBell(postgresOptions, clock, { cancelled: (taskId) => stopTask(taskId), pausesChanged: () => gate.ring(), schedulesChanged: () => scheduler.ring() })
  const stopTask = (taskId: string): void => keeper.stopTask(taskId, new SweepmillError('TASK_CANCELLED', `Task ${taskId} was cancelled.`))
  const strategies = new PostgresStrategyBook(postgres)
  const intakeRoom = new IntakeRoom(config.dataMemoryMb * 2 ** 20, clock)
  const prepareOptions = { pool, clock, intake: intakeRoom, strategyDir: config.strategyDir, archive, strategies, series, trials: { pool, desk, bars, archive, artifacts } }
  const queue = new TaskQueue({ stream, gate, publisher, ledger, keeper, recovery, observer, attempts, desk, clock, random })
  const backend: TaskBackend<Health> = new TaskBackend<Health>({
    sagas: new SagaOffice({ desk: new PostgresSagaDesk(postgres), workflows, redrive: (taskId) => backend.retry(taskId) }),
    submit: async (request, signal) => {
      const prepared = await prepare(request, signal === undefined ? prepareOptions : optionsFor(prepareOptions, signal))
      if (signal?.aborted === true) prepared.place?.leave()
      signal?.throwIfAborted()
      return accept(prepared, { archive, bars, publisher, desk })
    },
    onlooker: role === 'client' ? incarnation.id : null,
    schedules: new ScheduleBook({
      store: schedules, clock, pin: async (request) => {
        const prepared = await prepare(request, prepareOptions)
        try {
          await store(prepared, archive)
        } finally {
          prepared.place?.leave()
        }
        return prepared.data
      },
    }),
    series: storedSeries,
    strategies: new StrategyOffice({ book: strategies, archive, options: prepareOptions }),
    pauses: gate,
    deadLetters: new DeadLetterOffice({ desk: deadLetters, book, publisher: stream, letters }),
    desk, book, publisher: stream, artifacts, fleet, queue: stream, observer, board, pool, clock, stopTask,
    exports: new SweepExport({ pool, bars, archive, artifacts, sweeps }),
    health: async () => options.health(await reading()),
    ready: async () => {
      const now = await reading()
      // Of threads that are all stuck none takes work.
      return now.redisUp && now.postgresUp && now.threads.stuck < now.threads.total && (role === 'client' || now.running)
    },
  })

  let closed: Promise<void> | null = null
  return {
    consumer: incarnation.id, backend, queue, worker, stream, reading, dataMemory: () => bars.memory,
    start: async () => {
      await keeper.start()
      if (role === 'client') return
      await bell.open()
      worker.start()
      recovery.start()
      if (role !== 'worker') return
      scheduler.start()
      await deliverOwnSweeps(sweeps, stream, book)
      // The threads are there before the first task is.
      await pool.run({ step: 'echo', input: {}, priority: 'high', divisible: true, userCode: false })
    },
    serve: (taskId) => { served = taskId },
    workerIsAlive: async () => (await fleet.incarnations()).some((one) => one.role === 'worker' && !one.stopped && one.silentMs < 2 * config.leaseMs),
    prepare: (request) => prepare(request, prepareOptions),
    accept: (prepared) => accept(prepared, { archive, bars, publisher, desk }),
    close: (drainMs = 10_000) => {
      closed ??= (async () => {
        // All are told at once: what goes over many rows stops after its page, while the attempts are handed back. A server
        // that does not answer holds up nobody for longer than attempts may.
        await within(clock, drainMs + LET_GO_MS, Promise.all([worker.stop(drainMs), recovery.stop(), scheduler.stop()]))
        await within(clock, LET_GO_MS, Promise.all([keeper.stop(), board.stop(), bell.close()]))
        bars.close()
        await stream.close()
        await postgres.close()
      })()
      return closed
    },
  }
}

/** What is left of a runtime after its drain is let go of within so long. */
const LET_GO_MS = 3000

/** Waits for it, and no longer; what it comes to then is nobody's matter any more. */
async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController()
  await Promise.race([work.catch(() => undefined), clock.sleep(ms, done.signal)])
  done.abort()
}
