/** What the checks of one strategy share: the bars, the parameters, and a way to run it that sees what it writes and asks of the outside. */
import { SweepmillError } from '../../base/errors.js'
import type { BarColumns } from '../../market/layout.js'
import { formatIsoTime } from '../calendar/iso-time.js'
import { ta } from '../indicators/indicators.js'
import type { Indicators } from '../indicators/indicators.js'
import type { BaseGrid } from '../strategies/higher-timeframe.js'
import { baseGrid } from '../strategies/higher-timeframe.js'
import type { Params, Strategy } from '../strategies/strategy.js'
import { copySeries } from './altered-bars.js'
import type { Series } from './altered-bars.js'
import { observeRun, writtenColumn } from './observed-run.js'
import type { ColumnDifference, ObservedRun } from './observed-run.js'

/** Clocks and randomness of the thread, which the engine does not know. */
export interface Ambient {
  /** Calls with clocks and random numbers that depend on `variant`. */
  during<T>(variant: number, call: () => T): T
  /** What of them was asked for since, such as "Math.random()". */
  readonly used: ReadonlySet<string>
}

export const NO_AMBIENT: Ambient = { during: (_variant, call) => call(), used: new Set() }

export interface SessionOptions {
  /** At least one; several stand at the same times. */
  readonly series: Series
  /** Of several series; none for one. */
  readonly symbols: readonly string[]
  readonly params: Params
  readonly ambient: Ambient
  /** Called before each run with the runs done and to be done; throws to stop. */
  readonly beat: (done: number, total: number) => void
  /** No time is left for more runs. */
  readonly isLate: () => boolean
}

export class CheckSession {
  readonly series: Series
  readonly symbols: readonly string[]
  readonly params: Params
  readonly ambient: Ambient
  readonly base: BaseGrid
  readonly isLate: SessionOptions['isLate']
  /** The first thing that a run wrote into its bars. */
  written: ColumnDifference | undefined
  runs = 0
  total = 0
  private readonly beat: SessionOptions['beat']

  constructor({ series, symbols, params, ambient, beat, isLate }: SessionOptions) {
    this.series = series
    this.symbols = symbols
    this.params = params
    this.ambient = ambient
    this.beat = beat
    this.isLate = isLate
    this.base = baseGrid(this.bars)
  }

  /** The first series: its times are those of all. */
  get bars(): BarColumns {
    return this.series[0]!
  }

  /** Runs it on these series, which must be copies of their own. Throws STRATEGY_FAILED. */
  run(strategy: Strategy, series: Series = copySeries(this.series), { variant = 0, params = this.params, indicators = ta }: { variant?: number; params?: Params; indicators?: Indicators } = {}): ObservedRun {
    this.beat(this.runs, Math.max(this.total, this.runs + 1))
    this.runs++
    // Copied before, because the strategy may write; kept no longer than the first fault.
    const before = this.written === undefined ? copySeries(series) : undefined
    const observed = this.ambient.during(variant, () => asStrategys(strategy, () => observeRun({ strategy, series, symbols: this.symbols, params, ta: indicators, base: this.base })))
    if (before !== undefined) this.written = writtenColumn(before, series)
    return observed
  }

  /** `1234 (2019-05-03)`; with the time of day where bars are shorter than a day. */
  barText(bar: number): string {
    return `${bar} (${this.timeText(bar)})`
  }

  timeText(bar: number): string {
    const text = formatIsoTime(this.bars.time[bar]!)
    return text.endsWith('T00:00:00.000Z') || text.endsWith('T00:00:00Z') ? text.slice(0, 10) : text
  }
}

/** Whatever goes wrong in a run is the strategy's: a period of 0 that it asked of an indicator too. */
function asStrategys<T>(strategy: Strategy, call: () => T): T {
  try {
    return call()
  } catch (error) {
    if (!(error instanceof SweepmillError) || error.code === 'STRATEGY_FAILED') throw error
    throw new SweepmillError('STRATEGY_FAILED', `The strategy "${strategy.name}" cannot be run: ${error.message}`, { cause: error })
  }
}
