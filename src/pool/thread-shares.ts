/**
 * Thread time by weight: in which order the priorities get the next thread.
 *
 * Shares are of measured milliseconds, not of steps: a step is charged what steps of its priority cost of late when
 * it starts (else one priority would take every thread that is free at the same moment), what it ran over that while
 * it runs, and what it really took when it ends. At most one chunk is charged ahead: a single long step would else
 * keep the short ones of its priority waiting for as long again. Active is a priority with a step that waits or runs.
 */
import { WeightedShare } from '../base/weighted-share.js'
import type { ComputePriority } from '../tasks/compute-pool.js'
import { PRIORITIES } from '../tasks/task.js'
import type { PriorityWeights } from '../tasks/task.js'

/** What a step is expected to take before any was measured. */
const FIRST_EXPECTED_MS = 10
/** What a step is charged ahead at most. */
const CHUNK_MS = 50
/** Weight of the newest measurement. */
const SMOOTHING = 0.3

export interface ThreadTurn {
  readonly priority: ComputePriority
  readonly startedMs: number
  readonly chargedMs: number
}

export class ThreadShares {
  readonly #share: WeightedShare<ComputePriority>
  readonly #running = new Set<ThreadTurn>()
  readonly #expectedMs: Record<ComputePriority, number> = { high: FIRST_EXPECTED_MS, medium: FIRST_EXPECTED_MS, low: FIRST_EXPECTED_MS }

  constructor(weights: PriorityWeights) {
    this.#share = new WeightedShare(weights)
  }

  /** Call before a step joins the line; `waiting` are the priorities that have steps in it already. */
  arrived(priority: ComputePriority, waiting: readonly ComputePriority[], nowMs: number): void {
    const active = new Set(waiting)
    for (const turn of this.#running) active.add(turn.priority)
    if (active.size === 0) this.#share.restart()
    else if (!active.has(priority)) this.#share.raise(priority, Math.min(...[...active].map((one) => this.#share.position(one, this.#overdueMs(one, nowMs)))))
  }

  /** Whose turn it is, first to last. */
  order(nowMs: number): readonly ComputePriority[] {
    const after = (one: ComputePriority): number => this.#share.position(one, this.#overdueMs(one, nowMs) + this.#expectedMs[one])
    return PRIORITIES.toSorted((a, b) => after(a) - after(b))
  }

  started(priority: ComputePriority, nowMs: number): ThreadTurn {
    const turn = { priority, startedMs: nowMs, chargedMs: this.#expectedMs[priority] }
    this.#share.charge(priority, turn.chargedMs)
    this.#running.add(turn)
    return turn
  }

  ended(turn: ThreadTurn, nowMs: number): void {
    if (!this.#running.delete(turn)) return
    const tookMs = nowMs - turn.startedMs
    this.#share.charge(turn.priority, tookMs - turn.chargedMs)
    this.#expectedMs[turn.priority] += SMOOTHING * (Math.min(tookMs, CHUNK_MS) - this.#expectedMs[turn.priority])
  }

  #overdueMs(priority: ComputePriority, nowMs: number): number {
    let sum = 0
    for (const turn of this.#running) if (turn.priority === priority) sum += Math.max(0, nowMs - turn.startedMs - turn.chargedMs)
    return sum
  }
}
