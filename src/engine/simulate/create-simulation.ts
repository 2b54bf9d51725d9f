/** Which of the two kernels a spec needs. */
import type { ExecutionSpec } from '../specs/execution-spec.js'
import { FastSimulation, isFast } from './fast-simulation.js'
import type { FinerBars } from './finer-bars.js'
import { FullSimulation } from './full-simulation.js'
import type { Simulation } from './simulation.js'

/** `length`: of the bars to be simulated. One belongs to one thread and is used for any number of runs. */
export function createSimulation(length: number, execution: ExecutionSpec, finer?: FinerBars): Simulation {
  return isFast(execution) ? new FastSimulation(length, execution) : new FullSimulation(length, execution, finer === undefined ? {} : { finer })
}
