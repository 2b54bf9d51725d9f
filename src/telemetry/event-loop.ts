/**
 * How late the event loop is, over the last 30 to 60 seconds.
 *
 * Two of Node's histograms run side by side and are emptied in turns every half window; the older one
 * is read. (One histogram would either never forget or know nothing right after a reset, and Node's
 * interval histograms cannot be merged.) Node measures the time between two timer ticks, so the
 * resolution is subtracted: 0 means on time.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { IntervalHistogram } from 'node:perf_hooks'
import type { Clock } from '../base/clock.js'

export interface EventLoopDelay {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

const RESOLUTION_MS = 10
const DEFAULT_WINDOW_MS = 60_000

export class EventLoopMonitor {
  #older: IntervalHistogram
  #younger: IntervalHistogram
  readonly #stopTurns: () => void

  constructor(clock: Clock, windowMs: number = DEFAULT_WINDOW_MS) {
    this.#older = started()
    this.#younger = started()
    this.#stopTurns = clock.every(windowMs / 2, () => this.#turn())
  }

  /** Milliseconds of delay; all 0 before the first tick. */
  delayMs(): EventLoopDelay {
    const histogram = this.#older
    if (histogram.count === 0) return { p50: 0, p99: 0, max: 0 }
    return { p50: late(histogram.percentile(50)), p99: late(histogram.percentile(99)), max: late(histogram.max) }
  }

  stop(): void {
    this.#stopTurns()
    this.#older.disable()
    this.#younger.disable()
  }

  #turn(): void {
    const emptied = this.#older
    emptied.reset()
    this.#older = this.#younger
    this.#younger = emptied
  }
}

function started(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  return histogram
}

/** Nanoseconds between ticks to milliseconds late, to a hundredth. */
function late(nanoseconds: number): number {
  return Math.round(Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS) * 100) / 100
}
