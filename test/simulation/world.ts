/**
 * A schedule's world: real Redis under a prefix, real Postgres, virtual time, workers that crash, stop and go on.
 *
 * Time moves in all places at once: the workers' monotonic clock, the scripts' `now_ms()` (an offset in a key),
 * the idle times of pending entries (XCLAIM IDLE), and the times in Postgres, which are shifted back. A clock step
 * moves Redis alone. `check` holds the invariants that no schedule may break.
 */
import { Redis } from 'ioredis'
import { GROUP } from '../../src/queue/redis-task-stream.js'
import type { Postgres } from '../../src/store/postgres.js'
import { PostgresFleet } from '../../src/store/fleet.js'
import { PostgresTaskDesk } from '../../src/store/task-desk.js'
import { LEGAL_TRANSITIONS, PRIORITIES } from '../../src/tasks/task.js'
import type { TaskStatus } from '../../src/tasks/task.js'
import type { Waypoint } from '../../src/tasks/waypoint.js'
import { assertLegalHistory } from '../legal-history.js'
import { SimClock } from './sim-clock.js'
import { Crash, LEASE_MS, SimWorker } from './sim-worker.js'
import type { Ending } from './sim-worker.js'

/** Moves the idle times of all pending entries. KEYS 1-3 streams. ARGV 1 group, 2 milliseconds (may be negative). */
const AGE = `
for n = 1, 3 do
  local found = redis.pcall('XPENDING', KEYS[n], ARGV[1], '-', '+', 1000)
  if not found.err then
    for _, p in ipairs(found) do
      redis.call('XCLAIM', KEYS[n], ARGV[1], p[2], 0, p[1], 'IDLE', math.max(0, p[3] + tonumber(ARGV[2])), 'JUSTID')
    end
  end
end`

const MOVE_POSTGRES = `
with moved as (
  update tasks set created_at = created_at - $2 * interval '1 ms', not_before = not_before - $2 * interval '1 ms'
  where data->>'schedule' = $1 and status in ('pending', 'processing')
)
update workers set beat_at = beat_at - $2 * interval '1 ms' where incarnation like $1 || '-%'`

interface Left {
  readonly tasks: readonly unknown[]
  readonly entries: number
  readonly delayed: number
}

export class World {
  readonly clock = new SimClock()
  readonly workers: SimWorker[] = []
  readonly #redis: Redis
  readonly #redisUrl: string
  readonly #postgres: Postgres
  readonly #schedule: string
  readonly #prefix: string
  readonly #offsetKey: string
  readonly #desk: PostgresTaskDesk
  #snapshot: { readonly key: string; readonly dump: Buffer }[] = []
  #redisLife = 0
  #steppedMs = 0
  #started = 0
  /** Attempts whose owner never paused and whose Redis was never set back: nobody may take these over. */
  readonly #undisturbed = new Map<string, { readonly worker: SimWorker; readonly attempt: number }>()

  constructor(redis: Redis, redisUrl: string, postgres: Postgres, schedule: string) {
    this.#redis = redis
    this.#redisUrl = redisUrl
    this.#postgres = postgres
    this.#schedule = schedule
    this.#prefix = `${schedule}:`
    this.#offsetKey = `offset:${schedule}`
    this.#desk = new PostgresTaskDesk(postgres)
  }

  async startWorker(): Promise<SimWorker> {
    this.#started += 1
    const worker = new SimWorker({
      id: `${this.#schedule}-w${this.#started}`, redisUrl: this.#redisUrl, keyPrefix: this.#prefix, postgres: this.#postgres, clock: this.clock,
      scriptClock: `
local function now_ms()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(redis.call('GET', '${this.#offsetKey}') or 0)
end
`,
      redisLife: () => String(this.#redisLife), seed: this.#started,
    })
    await worker.start()
    this.workers.push(worker)
    return worker
  }

  async startUpTo(living: number): Promise<void> {
    if (this.workers.filter((worker) => worker.alive).length < living) await this.startWorker()
  }

  /** A worker that acts, or null when the n-th does not exist or cannot. */
  acting(n: number): SimWorker | null {
    const alive = this.workers.filter((worker) => worker.alive)
    const worker = alive[n % Math.max(1, alive.length)]
    return worker === undefined || worker.paused ? null : worker
  }

  /** Runs one act of a worker; a crash at `crashAt` ends the worker, not the schedule. */
  async act<T>(worker: SimWorker, crashAt: Waypoint | null, run: () => Promise<T>): Promise<T | null> {
    worker.crashAt = crashAt
    try {
      return await run()
    } catch (thrown) {
      if (thrown instanceof Crash) {
        this.#gone(worker)
        return null
      }
      throw thrown
    } finally {
      worker.crashAt = null
      worker.loseReply = false
    }
  }

  async pick(worker: SimWorker, count: number, crashAt: Waypoint | null, loseReply: boolean): Promise<void> {
    worker.loseReply = loseReply
    const opened = await this.act(worker, crashAt, () => worker.pick(count)) ?? []
    for (const attempt of opened) {
      const before = this.#undisturbed.get(attempt.taskId)
      if (before !== undefined && before.worker.alive && this.clock.nowMs - before.worker.keptMs < LEASE_MS) {
        throw new Error(`attempt ${attempt.attempt} of ${attempt.taskId} was opened while ${before.worker.id} computed attempt ${before.attempt} and kept its lease`)
      }
      this.#undisturbed.set(attempt.taskId, { worker, attempt: attempt.attempt })
    }
  }

  async finish(worker: SimWorker, n: number, ending: Ending, crashAt: Waypoint | null, loseReply: boolean): Promise<void> {
    worker.loseReply = loseReply
    const ended = await this.act(worker, crashAt, () => worker.finish(n, ending))
    if (ended !== null && this.#undisturbed.get(ended.attempt.taskId)?.attempt === ended.attempt.attempt) this.#undisturbed.delete(ended.attempt.taskId)
  }

  async checkpoint(worker: SimWorker, n: number): Promise<void> {
    const written = await worker.checkpoint(n)
    if (written === null) return
    const row = await this.#desk.get(written.taskId)
    if (row?.attempt !== written.attempt) throw new Error(`attempt ${written.attempt} of ${written.taskId} wrote a checkpoint while the row is at ${row?.attempt}`)
  }

  /** A process is stopped until others have taken its work over, and then goes on as if nothing had happened. */
  async outlive(worker: SimWorker): Promise<void> {
    this.pause(worker)
    for (let lease = 0; lease < 3; lease += 1) {
      await this.advance(LEASE_MS)
      for (const other of this.workers) if (!other.idle) await other.recover()
    }
    for (const other of this.workers) if (!other.idle) await this.pick(other, 4, null, false)
    worker.paused = false
  }

  crash(worker: SimWorker): void {
    worker.alive = false
    this.#gone(worker)
  }

  #gone(worker: SimWorker): void {
    for (const [taskId, held] of this.#undisturbed) if (held.worker === worker) this.#undisturbed.delete(taskId)
  }

  /** Ends a worker in an orderly way: it says so, and its work is up for grabs at once. */
  async leave(worker: SimWorker): Promise<void> {
    this.crash(worker)
    await new PostgresFleet(this.#postgres).leave(worker.id)
  }

  pause(worker: SimWorker): void {
    worker.paused = true
    this.#gone(worker)
  }

  resume(n: number): void {
    const worker = this.workers.filter((one) => one.alive)[n]
    if (worker !== undefined) worker.paused = false
  }

  /** Living workers renew three times a lease, as their timers would. */
  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= LEASE_MS / 3) {
      const step = Math.min(left, LEASE_MS / 3)
      this.clock.nowMs += step
      await Promise.all([this.#moveRedis(Math.round(step)), this.#postgres.query(MOVE_POSTGRES, [this.#schedule, step])])
      for (const worker of this.workers) if (!worker.idle) await worker.renew()
    }
  }

  /** Redis's clock is set; nobody else's. */
  async stepRedisClock(ms: number): Promise<void> {
    this.#steppedMs += ms
    await this.#moveRedis(ms)
  }

  async #moveRedis(ms: number): Promise<void> {
    await this.#redis.incrby(this.#offsetKey, ms)
    await this.#redis.eval(AGE, 3, ...this.#streams(), GROUP, ms)
  }

  #streams(): string[] { return PRIORITIES.map((priority) => `${this.#prefix}tasks:${priority}`) }

  async snapshot(): Promise<void> {
    const keys = await this.#keys()
    this.#snapshot = []
    for (const key of keys) {
      const dump = await this.#redis.dumpBuffer(key)
      if (dump !== null) this.#snapshot.push({ key, dump })
    }
  }

  /** A restart from an append-only file that lacks the end, or a failover to a replica that lagged. */
  async rollBack(): Promise<void> {
    await this.flush()
    for (const { key, dump } of this.#snapshot) await this.#redis.restore(key, 0, dump)
    this.#redisLife += 1
    // Redis may now name owners that were replaced; its word is heeded, so such a task may run again.
    this.#undisturbed.clear()
  }

  async flush(): Promise<void> {
    const keys = await this.#keys()
    if (keys.length > 0) await this.#redis.del(...keys)
  }

  /** Destroys the consumer groups only, as a restore without them would. */
  async dropGroups(): Promise<void> {
    for (const stream of this.#streams()) await this.#redis.xgroup('DESTROY', stream, GROUP).catch(() => 0)
  }

  async cancel(n: number): Promise<void> {
    const id = await this.#taskId(n)
    const record = id === null ? null : await this.#desk.requestCancel(id)
    if (record?.status === 'cancelled') for (const priority of PRIORITIES) await this.#redis.zrem(`${this.#prefix}tasks:delayed`, `${PRIORITIES.indexOf(priority) + 1}:sim:${record.taskId}`)
  }

  async redrive(n: number): Promise<void> {
    const id = await this.#taskId(n)
    if (id !== null) await this.#desk.redrive(id)
  }

  /** Lets everything that lives go on until nothing is left; throws when that takes too long. */
  async heal(): Promise<void> {
    for (const worker of this.workers) if (worker.paused) this.crash(worker)
    // A new worker compares everything with Redis when it starts; those that live must do without.
    if (!this.workers.some((worker) => worker.alive)) await this.startWorker()
    await this.#untilQuiet((left) => left.tasks.length === 0 && left.entries === 0)
    // A cancelled task's place in the delayed set is cleared when it is due by a clock that was set right again.
    await this.stepRedisClock(-this.#steppedMs)
    await this.#untilQuiet((left) => left.tasks.length === 0 && left.entries === 0 && left.delayed === 0)
  }

  async #untilQuiet(quiet: (left: Left) => boolean): Promise<void> {
    for (let round = 0; round < 80; round += 1) {
      for (const worker of this.workers) {
        if (worker.idle) continue
        await worker.recover()
        await this.pick(worker, 5, null, false)
        while (worker.running.length > 0) await this.finish(worker, 0, 'complete', null, false)
      }
      if (quiet(await this.#left())) return
      await this.advance(LEASE_MS)
    }
    throw new Error(`work was left after 80 leases: ${JSON.stringify(await this.#left())}`)
  }

  async #left(): Promise<Left> {
    const tasks = await this.#postgres.query(`select task_id, status, attempt, owner, message_id, published_at is not null as published, not_before
      from tasks where data->>'schedule' = $1 and status in ('pending', 'processing')`, [this.#schedule])
    const lengths = await Promise.all(this.#streams().map((stream) => this.#redis.xlen(stream)))
    return { tasks, entries: lengths.reduce((sum, n) => sum + n, 0), delayed: await this.#redis.zcard(`${this.#prefix}tasks:delayed`) }
  }

  /** The invariants after every schedule. */
  async check(): Promise<void> {
    const tasks = await this.#postgres.query<{ task_id: string; status: TaskStatus; attempt: number; generation: number; result: { attempt: number } | null }>(
      `select task_id, status, attempt, generation, result from tasks where data->>'schedule' = $1`, [this.#schedule])
    for (const task of tasks) {
      const events = await this.#postgres.query<{ event: string; from_status: TaskStatus | null; to_status: TaskStatus | null; attempt: number; generation: number }>(
        'select event, from_status, to_status, attempt, generation from task_events where task_id = $1 order by event_id', [task.task_id])
      assertLegalHistory(events, LEGAL_TRANSITIONS)
      const ends = events.filter((event) => event.to_status !== null && event.to_status !== 'pending' && event.to_status !== 'processing')
      for (let generation = 1; generation <= task.generation; generation += 1) {
        const own = ends.filter((event) => event.generation === generation)
        if (own.length !== 1) throw new Error(`generation ${generation} of ${task.task_id} has ${own.length} final states`)
      }
      if (events.at(-1)?.to_status !== task.status) throw new Error(`${task.task_id} is ${task.status}, but its history ends with ${events.at(-1)?.to_status}`)
      if (task.status === 'completed' && task.result?.attempt !== task.attempt) throw new Error(`${task.task_id} has the result of attempt ${task.result?.attempt}, not of ${task.attempt}`)
      const [late] = await this.#postgres.query(`select 1 from checkpoints c where c.task_id = $1 and c.created_at >
        (select max(at) from task_events where task_id = $1 and to_status is not null)`, [task.task_id])
      if (late !== undefined) throw new Error(`${task.task_id} has a checkpoint after its end`)
    }
    for (const stream of this.#streams()) {
      const summary = await this.#redis.xpending(stream, GROUP)
      if (Number(summary[0]) !== 0) throw new Error(`${stream} has pending entries left`)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.close()))
    await this.flush()
    await this.#redis.del(this.#offsetKey)
    await this.#postgres.query(`delete from workers where incarnation like $1 || '-%'`, [this.#schedule])
  }

  async #taskId(n: number): Promise<string | null> {
    const rows = await this.#postgres.query<{ task_id: string }>(`select task_id from tasks where data->>'schedule' = $1 order by task_id`, [this.#schedule])
    return rows[n % Math.max(1, rows.length)]?.task_id ?? null
  }

  async #keys(): Promise<string[]> {
    const names = ['high', 'medium', 'low', 'delayed', 'dlq', 'checkpoints', 'epoch'].map((name) => `${this.#prefix}tasks:${name}`)
    const there = await Promise.all(names.map((name) => this.#redis.exists(name)))
    return names.filter((_, i) => there[i] === 1)
  }
}
