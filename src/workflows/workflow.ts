/**
 * What a workflow is to the runtime: a saga definition for one task type and version, and the context that its
 * steps share. Everything a step may touch comes in through `WorkflowTools`; a step never sees an adapter.
 */
import type { ArtifactStore, BarArchive } from '../tasks/bar-archive.js'
import type { BarSeriesStore, SeriesKey } from '../tasks/bar-series.js'
import type { BarStore } from '../tasks/bar-store.js'
import type { ComputeReply, ComputeRequest } from '../tasks/compute-pool.js'
import type { Retention } from '../tasks/retention.js'
import type { KlineSource } from '../tasks/kline-source.js'
import type { SweepStore } from '../tasks/sweep-store.js'
import type { Attempt, Outcome, Progress } from '../tasks/task.js'
import type { Clock } from '../base/clock.js'
import type { SagaDefinition } from '../saga/saga-step.js'

export type Completed = Extract<Outcome, { kind: 'completed' }>

/** A compute request without what the runtime fills in: priority, owner, signal. */
export type StepRequest = Omit<ComputeRequest, 'priority' | 'user' | 'taskId' | 'attempt' | 'signal'>

export interface WorkflowTools {
  readonly bars: BarStore
  readonly archive: BarArchive
  readonly series: BarSeriesStore
  readonly artifacts: ArtifactStore
  readonly sweeps: SweepStore
  readonly retention: Retention
  readonly exchanges: readonly KlineSource[]
  /** Reads all of a series and keeps what it finds as its quality report. */
  readonly checkSeries: (key: SeriesKey) => Promise<unknown>
  readonly clock: Clock
  readonly threads: number
  readonly engineVersion: string
  /** Aborted with the error that the attempt ends with. */
  readonly signal: AbortSignal
  compute(request: StepRequest): Promise<ComputeReply>
  report(progress: Progress): void
  /** A checkpoint of this attempt, for a step that is resumed in its middle. Throws LEASE_LOST. */
  checkpoint(step: string, data: unknown): Promise<void>
  /** The data of the task's latest checkpoint of this step, of whichever attempt. */
  lastCheckpoint<Data>(step: string): Promise<Data | null>
  /** The pivot: commits result, final state and audit in one fenced transaction. */
  commit(completed: Completed): Promise<void>
  barsProcessed(count: number): void
}

export interface Workflow<Context> {
  readonly taskType: string
  readonly definition: SagaDefinition<Context>
  begin(attempt: Attempt, tools: WorkflowTools): Context
  /** Releases what the context holds, however the attempt ended. */
  end(context: Context): void
}

/** A workflow whose context type only it knows: what the runtime holds. */
export type RegisteredWorkflow = Workflow<unknown>

/** Forgets the context type: the runtime hands a workflow only the contexts that it made itself. */
export function register<Context>(workflow: Workflow<Context>): RegisteredWorkflow {
  return workflow as unknown as RegisteredWorkflow
}
