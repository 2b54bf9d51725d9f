/**
 * Closed trades as growing columns: the kernel appends, metrics read the columns, and only a single backtest
 * turns them into objects. A log is reused from trial to trial; growing doubles it, so that nothing is
 * allocated per bar or, after the first trials, per trade.
 */
export type TradeSide = 'long' | 'short'
export type ExitReason = 'signal' | 'stop_loss' | 'take_profit' | 'trailing_stop' | 'liquidation' | 'end'

/** A closed round trip. Bars count from 0; pnl is net of the fees of both fills; return = pnl / (units × entryPrice). */
export interface Trade {
  readonly side: TradeSide
  readonly units: number
  readonly entryBar: number
  readonly entryTime: number
  readonly entryPrice: number
  readonly exitBar: number
  readonly exitTime: number
  readonly exitPrice: number
  readonly pnl: number
  readonly return: number
  readonly fees: number
  readonly exitReason: ExitReason
  /** Only in a portfolio. */
  readonly symbol?: string
}

/** With its excursions: how far it went against (0 or negative) and for its holder (0 or positive), fractions of the entry price. */
export interface MeasuredTrade extends Trade {
  readonly mae: number
  readonly mfe: number
}

export const EXIT_REASONS: readonly ExitReason[] = ['signal', 'stop_loss', 'take_profit', 'trailing_stop', 'liquidation', 'end', 'liquidation']
export const SIGNAL = 0
export const STOP_LOSS = 1
export const TAKE_PROFIT = 2
export const TRAILING_STOP = 3
export const LIQUIDATION = 4
export const END = 5
/** A liquidation by isolated margin, which has a price and a fee of its own (F30). */
export const MARGIN_CALL = 6

/** Columns per trade: signed units, entry bar, entry price, exit bar, exit price, pnl, return, fees, reason. */
const WIDTH = 9
export const UNITS = 0
export const ENTRY_BAR = 1
export const ENTRY_PRICE = 2
export const EXIT_BAR = 3
export const EXIT_PRICE = 4
export const PNL = 5
export const RETURN = 6
export const FEES = 7
export const REASON = 8

export class TradeLog {
  count = 0
  private rows = new Float64Array(WIDTH * 256)

  clear(): void {
    this.count = 0
  }

  /** One value of one trade; the column is one of the constants above. */
  at(trade: number, column: number): number {
    return this.rows[trade * WIDTH + column]!
  }

  push(units: number, entryBar: number, entryPrice: number, exitBar: number, exitPrice: number, pnl: number, ret: number, fees: number, reason: number): void {
    const start = this.count * WIDTH
    if (start === this.rows.length) {
      const larger = new Float64Array(this.rows.length * 2)
      larger.set(this.rows)
      this.rows = larger
    }
    const rows = this.rows
    rows[start] = units
    rows[start + ENTRY_BAR] = entryBar
    rows[start + ENTRY_PRICE] = entryPrice
    rows[start + EXIT_BAR] = exitBar
    rows[start + EXIT_PRICE] = exitPrice
    rows[start + PNL] = pnl
    rows[start + RETURN] = ret
    rows[start + FEES] = fees
    rows[start + REASON] = reason
    this.count++
  }

  /** The trades as objects; `time` holds the times of the bars that were simulated, the others how far each trade went. */
  toTrades(time: Float64Array): Trade[]
  toTrades(time: Float64Array, mae: Float64Array, mfe: Float64Array): MeasuredTrade[]
  toTrades(time: Float64Array, mae?: Float64Array, mfe?: Float64Array): Trade[] {
    return Array.from({ length: this.count }, (_, k) => {
      const entryBar = this.at(k, ENTRY_BAR)
      const exitBar = this.at(k, EXIT_BAR)
      return {
        side: this.at(k, UNITS) > 0 ? 'long' : 'short',
        units: Math.abs(this.at(k, UNITS)),
        entryBar, entryTime: time[entryBar] ?? NaN, entryPrice: this.at(k, ENTRY_PRICE),
        exitBar, exitTime: time[exitBar] ?? NaN, exitPrice: this.at(k, EXIT_PRICE),
        pnl: this.at(k, PNL), return: this.at(k, RETURN), fees: this.at(k, FEES),
        exitReason: EXIT_REASONS[this.at(k, REASON)] ?? 'signal',
        ...(mae === undefined || mfe === undefined ? undefined : { mae: mae[k]!, mfe: mfe[k]! }),
      }
    })
  }
}
