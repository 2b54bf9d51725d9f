/** Which of the two kernels a run needs. */
import type { ExecutionSpec } from '../specs/execution-spec.js'
import { FastSimulation, isFast } from './fast-simulation.js'
import type { FinerBars } from './finer-bars.js'
import { FullSimulation } from './full-simulation.js'
import type { Simulation } from './simulation.js'

export interface SimulationNeeds {
  readonly finer?: FinerBars | undefined
  /** Runs are given an `onClose`, which only the full kernel calls. */
  readonly isWatched?: boolean
}

/** `length`: of the bars to be simulated. One belongs to one thread and is used for any number of runs. */
export function createSimulation(length: number, execution: ExecutionSpec, { finer, isWatched = false }: SimulationNeeds = {}): Simulation {
  return isFast(execution) && !isWatched ? new FastSimulation(length, execution) : new FullSimulation(length, execution, finer === undefined ? {} : { finer })
}
