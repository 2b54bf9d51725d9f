/**
 * What the pick script must know to take entries by weight, kept between the picks of this process.
 *
 * Counted in tasks, because nobody knows before it ran how long a task takes; the threads share time. A priority
 * takes part in a pick when it may be taken and has entries that wait; for want of either it earns nothing.
 */
import { WeightedShare } from '../base/weighted-share.js'
import { PRIORITIES } from '../tasks/task.js'
import type { PriorityWeights, TaskPriority } from '../tasks/task.js'
import type { Limits } from '../tasks/task-stream.js'

export class PickTurns {
  readonly #weights: PriorityWeights
  readonly #share: WeightedShare<TaskPriority>

  constructor(weights: PriorityWeights) {
    this.#weights = weights
    this.#share = new WeightedShare(weights)
  }

  /** Weight and position of each priority. */
  args(): number[] {
    return PRIORITIES.flatMap((priority) => [this.#weights[priority], this.#share.position(priority)])
  }

  /** `waiting`: entries that waited before the pick. */
  settle(limits: Limits, waiting: Limits, taken: readonly { readonly priority: TaskPriority }[]): void {
    const took = new Set(taken.map(({ priority }) => priority))
    for (const { priority } of taken) this.#share.charge(priority, 1)
    const contenders = PRIORITIES.filter((priority) => took.has(priority) || (limits[priority] > 0 && waiting[priority] > 0))
    if (contenders.length === 0) { this.#share.restart(); return }
    const level = Math.min(...contenders.map((priority) => this.#share.position(priority)))
    for (const priority of PRIORITIES) if (!contenders.includes(priority)) this.#share.raise(priority, level)
  }
}
