/** The account as the watch of a bar sees it: what is open, what rests, and the booking of an entry or an exit. */
import type { FinerBars } from './finer-bars.js'
import type { Lots } from './lots.js'
import type { TradeLog } from './trade-log.js'

/** An entry order that rests in the market (F22). */
export interface RestingOrder {
  readonly side: 1 | -1
  readonly level: number
  /** The raw price at which it is reached: a limit when the spread still leaves it its price. */
  readonly trigger: number
  readonly signalBar: number
  readonly lastBar: number
}

/** Where and how an entry fills. */
export interface EntryFill {
  readonly side: 1 | -1
  readonly bar: number
  readonly raw: number
  /** Of a limit; null fills at the market. */
  readonly limitPrice: number | null
  readonly signalBar: number
  readonly atClose: boolean
}

export interface Account {
  readonly lots: Lots
  readonly trades: TradeLog
  readonly resting: RestingOrder | null
  readonly finer: FinerBars | undefined
  /** Out of the market: it is about to be filled. */
  takeOrder(): void
  /** F6, F8, F10, F20, F21: opens a lot, or counts why not. */
  enter(fill: EntryFill): void
  /** Closes one lot; `k` counts from the oldest. */
  exit(k: number, bar: number, raw: number, slippage: number, reason: number): void
  /** The level of a trailing stop from this peak; infinitely far without one. `trail` is the lot's. */
  trailingLevel(peak: number, side: number, trail: number): number
}
