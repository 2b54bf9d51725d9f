/**
 * The workbench over the real runtime: threads first, services and the runtime when they are asked for.
 *
 * States: opened (threads only) → connected (services found, runtime started) → closed. `close` works from
 * each and lets go in reverse order, whatever of it fails. A request that was checked is not parsed again
 * when it is submitted. A session computes only while no living worker serves the queue, and looks again
 * as long as it waits, because a worker may leave.
 */
import type { Clock } from '../base/clock.js'
import { SweepmillError } from '../base/errors.js'
import { createRuntime } from '../runtime/create-runtime.js'
import type { Runtime, RuntimeLog } from '../runtime/create-runtime.js'
import type { RuntimeReading } from '../runtime/runtime-reading.js'
import type { StrategyCheck } from '../engine/index.js'
import { IntakeRoom } from '../runtime/intake-room.js'
import { checkStrategy } from '../runtime/strategy-check.js'
import type { StrategyCheckRequest } from '../runtime/strategy-check.js'
import { strategyFiles } from '../runtime/strategy-files.js'
import type { StrategyFileView } from '../runtime/strategy-files.js'
import { draftStrategy } from '../runtime/strategy-draft.js'
import { checkWithoutBars, namesStoredBars, prepare } from '../runtime/submission.js'
import type { Reading } from '../market/reading.js'
import { readSeriesFile } from '../runtime/series-file.js'
import type { Prepared } from '../runtime/submission.js'
import type { Backend, StrategyRequest, SubmitRequest, Submitted } from '../tasks/backend.js'
import type { SeriesFile } from '../tasks/bar-series.js'
import { TaskType } from '../tasks/task.js'
import type { StrategyDraft } from '../tasks/strategy-book.js'
import type { ComputePool } from '../tasks/compute-pool.js'
import { EventLoopMonitor } from '../telemetry/event-loop.js'
import { healthReport } from '../telemetry/health.js'
import type { HealthReport } from '../telemetry/health.js'
import type { MigrationView, Role, Workbench, WorkbenchOptions } from './session.js'

/** Redis and Postgres, configured or embedded. */
export interface FoundServices {
  readonly redisUrl: string
  readonly databaseUrl: string
  release(): Promise<void>
  stop(): Promise<void>
}

export interface WorkbenchParts {
  readonly pool: ComputePool
  readonly clock: Clock
  readonly findServices: () => Promise<FoundServices>
  /** Brings the schema of one database up to date and reads it back. */
  readonly migrate: (databaseUrl: string) => Promise<MigrationView>
}

/** How long the share of useful CPU time is averaged over, at least. */
const SHARE_WINDOW_MS = 2000

export class RuntimeWorkbench implements Workbench {
  readonly #options: WorkbenchOptions
  readonly #parts: WorkbenchParts
  readonly #prepared = new Map<SubmitRequest, Prepared>()
  readonly #monitor: EventLoopMonitor
  #services: FoundServices | null = null
  #runtime: Runtime<HealthReport> | null = null
  #role: Role = 'client'
  #stopWatching: () => void = () => undefined

  constructor(options: WorkbenchOptions, parts: WorkbenchParts) {
    this.#options = options
    this.#parts = parts
    this.#monitor = new EventLoopMonitor(parts.clock)
  }

  get threads(): number { return this.#parts.pool.threads }

  busyMs(): number { return this.#parts.pool.stats().busyMs }

  async check(request: SubmitRequest): Promise<void> {
    // What a strategy's number or a trial of a sweep stands for is written in Postgres; such a spec is checked when it is submitted.
    if (request.data['strategy_id'] !== undefined || request.data['from_sweep'] !== undefined) return
    const { pool, clock } = this.#parts
    const { dataMemoryMb, strategyDir } = this.#options.config
    const options = { pool, clock, strategyDir, intake: new IntakeRoom(dataMemoryMb * 2 ** 20, clock) }
    // So are stored bars. A sync names a symbol too, and is checked whole.
    if (namesStoredBars(request.data) && request.taskType !== TaskType.DATA_SYNC) await checkWithoutBars(request, options)
    else this.#prepared.set(request, await prepare(request, options))
  }

  readBars(file: string, timeframe: string, reading?: Reading): SeriesFile {
    return readSeriesFile(this.#parts.pool, file, timeframe, reading)
  }

  draftStrategy(request: StrategyRequest): Promise<StrategyDraft> {
    const { pool, clock } = this.#parts
    return draftStrategy(request, { pool, clock, strategyDir: this.#options.config.strategyDir })
  }

  strategyFiles(): Promise<StrategyFileView[]> {
    const { pool, clock } = this.#parts
    return strategyFiles({ pool, clock, strategyDir: this.#options.config.strategyDir })
  }

  checkStrategy(request: StrategyCheckRequest): Promise<StrategyCheck> {
    const { pool, clock } = this.#parts
    return checkStrategy(request, { pool, clock, strategyDir: this.#options.config.strategyDir })
  }

  async connect(role: Role): Promise<Backend<HealthReport>> {
    if (this.#runtime !== null) throw new SweepmillError('INVARIANT', 'A workbench connects once.')
    const { config, metrics, log } = this.#options
    this.#services = await this.#parts.findServices()
    const { redisUrl, databaseUrl } = this.#services
    const runtime = await createRuntime<HealthReport>({
      config, redisUrl, databaseUrl, role, pool: this.#parts.pool, clock: this.#parts.clock,
      observers: { queue: metrics.queue, saga: metrics.saga, barsProcessed: (bars) => { metrics.host.barsProcessed(bars) } },
      log: logInto(log),
      health: (reading) => this.#health(reading),
    })
    this.#runtime = runtime
    this.#role = role
    metrics.queue.observeDepths(() => runtime.stream.depths())
    metrics.queue.observeDeadLetters(() => runtime.stream.deadLetters.count())
    this.#observeHost(runtime)
    await runtime.start()
    return runtime.backend
  }

  async submit(request: SubmitRequest): Promise<Submitted> {
    const runtime = this.#connected()
    const prepared = this.#prepared.get(request)
    const submitted = prepared === undefined ? await runtime.backend.submit(request) : await runtime.accept(prepared)
    if (this.#role === 'session') await this.#serveUnlessWorker(submitted.taskId)
    return submitted
  }

  async migrate(): Promise<MigrationView> {
    this.#services = await this.#parts.findServices()
    return this.#parts.migrate(this.#services.databaseUrl)
  }

  async close(stopServices = false): Promise<void> {
    this.#stopWatching()
    this.#monitor.stop()
    const steps = [() => this.#runtime?.close(), () => this.#parts.pool.close(), () => (stopServices ? this.#services?.stop() : this.#services?.release())]
    const failures: unknown[] = []
    for (const step of steps) await Promise.resolve(step()).catch((error: unknown) => { failures.push(error) })
    for (const error of failures) this.#options.log.warn({ err: error }, 'something did not close')
  }

  #connected(): Runtime<HealthReport> {
    if (this.#runtime === null) throw new SweepmillError('INVARIANT', 'The workbench is not connected yet.')
    return this.#runtime
  }

  async #serveUnlessWorker(taskId: string): Promise<void> {
    const runtime = this.#connected()
    const look = async (): Promise<void> => {
      if (await runtime.workerIsAlive()) return
      this.#stopWatching()
      runtime.serve(taskId)
    }
    this.#stopWatching()
    // A look that fails (Postgres restarts) is followed by another.
    this.#stopWatching = this.#parts.clock.every(this.#options.config.leaseMs, () => { look().catch(() => undefined) })
    await look()
  }

  #health(reading: RuntimeReading): HealthReport {
    const { config, metrics } = this.#options
    return healthReport({ ...reading, workerName: config.workerName, totals: metrics.queue.totals(), eventLoopDelay: this.#monitor.delayMs() })
  }

  #observeHost(runtime: Runtime<HealthReport>): void {
    const { pool, clock } = this.#parts
    let since = { atMs: clock.monotonicMs(), busyMs: pool.stats().busyMs }
    let usefulCpuShare: number | null = null
    this.#options.metrics.host.observe(() => {
      const { threads, busy, busyMs } = pool.stats()
      const atMs = clock.monotonicMs()
      if (atMs - since.atMs >= SHARE_WINDOW_MS) {
        usefulCpuShare = Math.min(1, (busyMs - since.busyMs) / (threads * (atMs - since.atMs)))
        since = { atMs, busyMs }
      }
      return { eventLoopDelayP99Ms: this.#monitor.delayMs().p99, threads, threadsBusy: busy, usefulCpuShare, dataBytes: runtime.dataMemory().usedBytes, dataBudgetBytes: runtime.dataMemory().budgetBytes }
    })
  }
}

function logInto(log: WorkbenchOptions['log']): RuntimeLog {
  return (level, message, fields) => { log[level](fields, message) }
}
