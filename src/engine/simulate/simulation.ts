/** A run of decisions over bars, and what it leaves behind: the one thing that metrics and reports know of fills. */
import type { BarColumns } from '../../market/layout.js'
import type { TradeLog } from './trade-log.js'

/** What a run leaves behind. */
export interface RunRecord {
  /** Equity at each bar's close; only the bars of the last run's window are meaningful. */
  readonly equity: Float64Array
  readonly trades: TradeLog
  readonly cash: number
  /** Of the position still open, all its lots together: negative for a short, 0 when flat. */
  readonly units: number
  /** Of its oldest lot. */
  readonly entryBar: number
  /** Mean over its lots, by units. */
  readonly entryPrice: number
  readonly entryFee: number
  /** All fees of the run, those of a position still open included, and the notional of all fills. */
  readonly feesPaid: number
  readonly notional: number
  /** Entries that could not be paid, came to 0 units or had no stop yet. */
  readonly rejectedEntries: number
  /** True when a position was liquidated. */
  readonly liquidated: boolean
  readonly interestPaid: number
  /** Negative when more was received. */
  readonly fundingPaid: number
}

export interface Simulation extends RunRecord {
  /**
   * Simulates bars [from, to), flat and with the initial cash at first; decisions before `from` do not count. `onClose`
   * may write the decision of the bar it is called with, once equity and position at that bar's close are known and before
   * the decision is acted on.
   */
  run(bars: BarColumns, decisions: Uint8Array, from: number, to: number, onClose?: (bar: number) => void): void
}
