/**
 * What the commands need of the runtime. `open-workbench.ts` plugs the real one in.
 *
 * A workbench is opened with threads only, so that a spec and its data are checked before any service
 * starts; `connect` then finds or starts Redis and Postgres. `close` ends everything that was started,
 * in reverse: work in hand is handed back, never lost.
 */
import type { Config } from '../runtime/config.js'
import type { StrategyCheck } from '../engine/index.js'
import type { StrategyCheckRequest } from '../runtime/strategy-check.js'
import type { StrategyFileView } from '../runtime/strategy-files.js'
import type { Reading } from '../market/reading.js'
import type { Backend, StrategyRequest, SubmitRequest, Submitted } from '../tasks/backend.js'
import type { SeriesFile } from '../tasks/bar-series.js'
import type { StrategyDraft } from '../tasks/strategy-book.js'
import type { HealthReport } from '../telemetry/health.js'
import type { Logger } from '../telemetry/logger.js'
import type { Metrics } from '../telemetry/registry.js'

/**
 * `client`: looks and submits, runs nothing. `session`: besides, works on its own tasks and their shards,
 * unless a running worker is found. `worker`: the daemon, which takes everything.
 */
export type Role = 'client' | 'session' | 'worker'

export interface MigrationView {
  readonly applied: readonly string[]
  readonly tables: readonly { readonly name: string; readonly columns: readonly string[] }[]
  /** What this run made: tables that were not there, and columns of tables that were. */
  readonly changes?: readonly { readonly name: string; readonly created: boolean; readonly columns: readonly string[] }[]
}

export interface Workbench {
  readonly threads: number
  /** Milliseconds of thread time spent so far, all threads together. */
  busyMs(): number
  /** In a pool thread: parses the spec, reads the data, loads the strategy. Rejects with what is wrong. */
  check(request: SubmitRequest): Promise<void>
  /** In a pool thread, from now on: reads a file of bars and finds out whether it is of the timeframe. */
  readBars(file: string, timeframe: string, reading?: Reading): SeriesFile
  /** In a pool thread: compiles the strategy and checks its parameters. */
  draftStrategy(request: StrategyRequest): Promise<StrategyDraft>
  /** In a pool thread: the strategies of STRATEGY_DIR. */
  strategyFiles(): Promise<StrategyFileView[]>
  /** In a pool thread: looks for look-ahead and its kin. */
  checkStrategy(request: StrategyCheckRequest): Promise<StrategyCheck>
  connect(role: Role): Promise<Backend<HealthReport>>
  /** After `connect`. A session then works on the task, unless a living worker will. */
  submit(request: SubmitRequest): Promise<Submitted>
  /** Brings the schema up to date and reads it back. */
  migrate(): Promise<MigrationView>
  /** `stopServices`: embedded services that nobody else uses are gone when it resolves; else they stop some seconds later. */
  close(stopServices?: boolean): Promise<void>
}

export interface WorkbenchOptions {
  readonly config: Config
  readonly log: Logger
  readonly metrics: Metrics
  /** Tells the user what takes a while before work begins, such as fetching Redis. Absent: it is logged. */
  readonly note?: (line: string) => void
}

export type OpenWorkbench = (options: WorkbenchOptions) => Promise<Workbench>
