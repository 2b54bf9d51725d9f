/**
 * Jobs: what the engine does with a strategy, one function each. They run in the thread itself for a built-in strategy, and
 * inside a realm of its own for a user's (workers/realm), so they know the engine and nothing of Node.js, and what goes in
 * and comes out is JSON and bytes.
 */
import type { Ambient, Pulse, Strategy, SweepPlan, TrialRunner } from '../../src/engine/index.js'
import type { BarColumns, BarsMeta } from '../../src/market/layout.js'

export interface JobBars extends BarColumns {
  readonly hash: string
  readonly meta: BarsMeta
}

/** What a job needs of its thread. */
export interface Surroundings {
  readonly engineVersion: string
  readonly sha256: (text: string) => string
  readonly nowMs: () => number
  /** Where an error was thrown in the user's own file, for the end of a sentence; empty where that cannot be told. */
  readonly placeOf: (thrown: unknown) => string
}

export interface PreparedSweep {
  readonly runner: TrialRunner
  readonly plan: SweepPlan
}

export interface JobCall {
  readonly input: Readonly<Record<string, unknown>>
  /** The spec as JSON; parsed by those alone that need it, because a sweep asks a thousand times with the same one. */
  readonly specText: string
  /** `bars` where no name is given. */
  readonly bars: (name?: string) => JobBars
  readonly strategy: () => Strategy
  /** A copy that shares nothing with any other. */
  readonly copy: () => Strategy
  /** Null where no clock can matter: in the thread itself. */
  readonly ambient: CheckAmbient | null
  readonly pulse: Pulse
  /** Of a sweep; kept from call to call. */
  readonly prepared: () => PreparedSweep
  readonly surroundings: Surroundings
}

export interface CheckAmbient extends Ambient {
  /** While a module loads: bent, not noted, because what a package asks for at its start need not reach a decision. */
  loading<T>(variant: number, load: () => T): T
}

export interface JobResult {
  readonly json: unknown
  /** Kept as UTF-8. */
  readonly texts?: Readonly<Record<string, string>>
  readonly bytes?: Readonly<Record<string, Uint8Array>>
}

export type Job = (call: JobCall) => JobResult
