/**
 * Which waiting step may take a free thread. An indivisible one below HIGH never takes the last: a HIGH one would have to wait for
 * all of it. Where it would only have to wait for chunks, what comes after it leaves this thread free: else chunks without end
 * would keep it waiting.
 */
import type { ComputePriority, ComputeRequest } from '../tasks/compute-pool.js'

type Divisible = Pick<ComputeRequest, 'divisible'>

/** To be asked about waiting steps in their order, once for each thread that is to be filled. `busy` are the steps that run. */
export function whatMayRun(threads: number, busy: readonly Divisible[]): (priority: ComputePriority, step: Divisible) => boolean {
  const free = threads - busy.length
  let isKeptFree = false
  return (priority, { divisible }) => {
    if (priority === 'high') return true
    if (isKeptFree) return false
    if (divisible || free > 1 || threads === 1) return true
    isKeptFree = busy.every((one) => one.divisible)
    return false
  }
}
