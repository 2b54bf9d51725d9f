/**
 * The execution kernel of the common case: one lot at a time, entries at the market, stops by fraction (`isFast`).
 * Single backtests and sweeps both run this very code, so their figures are equal bit for bit; full-simulation.ts does
 * the rest of docs/fills.md, and the same as this one where both apply. Comments refer to the conditions as F1, F2 …
 *
 * Invariants: cash + units × close = equity on every bar; nothing on bar i depends on a bar after i; no
 * allocation per bar. One instance belongs to one thread and is reused: run() resets it.
 * A position's sign is its side: `units` is negative for a short.
 */
import type { BarColumns } from '../../market/layout.js'
import type { ExecutionSpec } from '../specs/execution-spec.js'
import { LONG_ENTRY, LONG_EXIT, SHORT_ENTRY, SHORT_EXIT } from './decisions.js'
import type { Distance } from '../specs/distance.js'
import { feeOf, unitsFor } from './fees.js'
import type { Simulation } from './simulation.js'
import { reachOf, ruinOf, written } from './written-price.js'
import { END, LIQUIDATION, SIGNAL, STOP_LOSS, TAKE_PROFIT, TRAILING_STOP, TradeLog } from './trade-log.js'

/** Relative tolerance of "affordable" and "a whole number of lots": 3 × 0.1 must count as 0.3. */
const ROUNDING = 1e-12
/** Of the peak, and more than writing a level with 15 digits moves it. */
const NEARLY = 1e-13

/** Whether this kernel knows all that the spec asks for. */
export function isFast(e: ExecutionSpec): boolean {
  return [e.stopLoss, e.takeProfit, e.trailingStop].every((distance) => distance === null || typeof distance === 'number')
    && e.entryWhenInPosition === 'ignore' && e.entryOrder === null && e.intrabarPath === 'pessimistic' && e.tickSize === null
    && e.borrowRate === 0 && e.perpetual === null && e.makerFeeRate === e.feeRate && e.sizing.mode !== 'risk' && e.sizing.minNotional === 0
}

const fraction = (distance: Distance | null): number | null => (typeof distance === 'number' ? distance : null)

export class FastSimulation implements Simulation {
  /** Equity at each bar's close; only the bars of the last run's window are meaningful. */
  readonly equity: Float64Array
  readonly trades = new TradeLog()
  cash = 0.1
  units = 0.1
  entryBar = 0
  entryPrice = 0.1
  entryFee = 0.1
  /** All fees of the run, those of a position still open included, and the notional of all fills. */
  feesPaid = 0.1
  notional = 0.1
  /** Entries that could not be paid or came to 0 units. */
  rejectedEntries = 0
  /** True when equity fell to zero or below: the position was closed and trading stopped. */
  liquidated = false
  readonly interestPaid = 0
  readonly fundingPaid = 0

  private stop = 0.1
  private target = 0.1
  private peak = 0.1
  /** From where on both count as reached; the fraction of the peak at which a trailing stop lies, and one a little too near. */
  private stopReach = 0.1
  private targetReach = 0.1
  private trailFactor = 0.1
  private trailNear = 0.1
  /** Equity of no more than this is none (F16). */
  private ruin = 0.1
  private readonly execution: ExecutionSpec
  private readonly stopLoss: number | null
  private readonly takeProfit: number | null
  private readonly trailingStop: number | null

  /** `length`: of the bars to be simulated. */
  constructor(length: number, execution: ExecutionSpec) {
    this.equity = new Float64Array(length)
    this.execution = execution
    this.stopLoss = fraction(execution.stopLoss)
    this.takeProfit = fraction(execution.takeProfit)
    this.trailingStop = fraction(execution.trailingStop)
  }

  /** Simulates bars [from, to), flat and with the initial cash at first; decisions before `from` do not count. */
  run(bars: BarColumns, decisions: Uint8Array, from: number, to: number): void {
    this.reset()
    const { open, close } = bars
    const equity = this.equity
    const execution = this.execution
    const nextOpen = execution.fill === 'next_open'
    const hasStops = this.stopLoss !== null || this.takeProfit !== null || this.trailingStop !== null
    const stopFirst = hasStops && nextOpen && execution.stopPriority === 'stop_first'
    const last = to - 1
    const lag = nextOpen ? 1 : 0
    const endAtOpen = execution.finalize === 'close_last_open' ? last : -1
    let cash = 0
    let units = 0
    let halted = false
    for (let i = from; i < to; i++) {
      if (nextOpen && i > from && !halted) {
        const decision = decisions[i - 1]!
        // F14: with stop_first, a stop inside the bar goes before the signal at its open and voids it.
        if (decision !== 0 && !(stopFirst && this.units !== 0 && this.exitAtStops(bars, i))) {
          this.act(decision, i, open[i]!, close[i - 1]!)
        }
      }
      if (i === endAtOpen) {
        if (this.units !== 0) this.exit(i, open[i]!, execution.stopSlippage, END)
        halted = true
      }
      if (hasStops && this.units !== 0) {
        // F12: the entry bar counts only for an entry at its open, and only if asked for.
        if (i === this.entryBar && !execution.stopOnEntryBar) this.raisePeak(bars, i)
        else if (!this.exitAtStops(bars, i)) this.raisePeak(bars, i)
      }
      if (!nextOpen && !halted) {
        const decision = decisions[i]!
        if (decision !== 0) this.act(decision, i, close[i]!, close[i]!)
      }
      cash = this.cash
      units = this.units
      let value = cash + units * close[i]!
      if (value <= this.ruin && !halted) {
        if (units !== 0) this.exit(i, close[i]!, execution.stopSlippage, LIQUIDATION)
        value = this.cash
        this.liquidated = true
        halted = true
      }
      equity[i] = value
      if (hasStops && this.units !== 0) continue
      // Quiet stretch: no position to watch and no decision due, so only the equity moves (half the time of a trial).
      cash = this.cash
      units = this.units
      const ruin = this.ruin
      const quietUntil = endAtOpen === -1 ? to : last
      for (let k = i + 1; k < quietUntil; k++) {
        if (decisions[k - lag]! !== 0 && !halted) break
        value = cash + units * close[k]!
        if (value <= ruin && !halted) break
        equity[k] = value
        i = k
      }
    }
    if (execution.finalize === 'close_last_close' && this.units !== 0) {
      this.exit(last, close[last]!, execution.stopSlippage, END)
      equity[last] = this.cash
    }
  }

  private reset(): void {
    this.trades.clear()
    this.cash = this.execution.initialCash
    this.units = 0
    this.ruin = 0
    this.feesPaid = 0
    this.notional = 0
    this.rejectedEntries = 0
    this.liquidated = false
  }

  /** F5: exits first, then an entry if flat. A reversal is both, from the same raw price. */
  private act(decision: number, bar: number, raw: number, signalClose: number): void {
    if (this.units > 0) {
      if ((decision & (LONG_EXIT | SHORT_ENTRY)) !== 0) this.exit(bar, raw, this.execution.slippage, SIGNAL)
    } else if (this.units < 0) {
      if ((decision & (SHORT_EXIT | LONG_ENTRY)) !== 0) this.exit(bar, raw, this.execution.slippage, SIGNAL)
    }
    if (this.units !== 0) return
    if ((decision & LONG_ENTRY) !== 0) this.enter(1, bar, raw, signalClose)
    else if ((decision & SHORT_ENTRY) !== 0) this.enter(-1, bar, raw, signalClose)
  }

  private enter(side: 1 | -1, bar: number, raw: number, signalClose: number): void {
    const e = this.execution
    const price = raw * (1 + side * e.spread) * (1 + side * e.slippage)
    const units = this.size(price)
    if (!(units > 0)) {
      this.rejectedEntries++
      return
    }
    const notional = units * price
    const fee = feeOf(e, units, notional, e.feeRate)
    this.units = side * units
    this.cash -= side * notional + fee
    this.ruin = ruinOf(this.cash)
    this.entryBar = bar
    this.entryPrice = price
    this.entryFee = fee
    this.feesPaid += fee
    this.notional += notional
    const fill = written(price, price)
    const reference = e.stopReference === 'fill_price' ? fill : signalClose
    this.stop = this.stopLoss === null ? side * -Infinity : written(reference * (1 - side * this.stopLoss), reference)
    this.target = this.takeProfit === null ? side * Infinity : written(reference * (1 + side * this.takeProfit), reference)
    this.stopReach = reachOf(this.stop, -side)
    this.targetReach = reachOf(this.target, side)
    this.trailFactor = this.trailingStop === null ? NaN : 1 - side * this.trailingStop
    this.trailNear = this.trailFactor + side * NEARLY
    this.peak = fill
  }

  /** Units of an entry at this fill price while flat (cash is the equity); 0 or less is no entry. */
  private size(price: number): number {
    const e = this.execution
    const { sizing, leverage, feeRate } = e
    const power = this.cash * leverage
    const affordable = unitsFor(e, power, price, feeRate)
    let units = affordable
    if (sizing.mode !== 'all_in') {
      const value = sizing.value ?? 0
      if (sizing.mode === 'fraction') units = unitsFor(e, power * value, price, feeRate)
      else if (sizing.mode === 'cash') units = unitsFor(e, value, price, feeRate)
      else units = value
    }
    const lot = sizing.wholeUnits ? 1 : sizing.lotSize
    if (lot !== null) {
      const lots = units / lot
      units = Math.floor(lots + Math.abs(lots) * ROUNDING) * lot
    }
    // What is ordered must be affordable, so this comes after the flooring.
    return units > affordable * (1 + ROUNDING) ? 0 : units
  }

  private exit(bar: number, raw: number, slippage: number, reason: number): void {
    const e = this.execution
    const units = this.units
    const price = raw * (units > 0 ? 1 - slippage : 1 + slippage)
    const notional = Math.abs(units) * price
    const fee = feeOf(e, Math.abs(units), notional, e.feeRate)
    const fees = this.entryFee + fee
    const pnl = units * (price - this.entryPrice) - fees
    this.cash += units * price - fee
    this.feesPaid += fee
    this.notional += notional
    this.trades.push(units, this.entryBar, this.entryPrice, bar, price, pnl, pnl / (Math.abs(units) * this.entryPrice), fees, reason)
    this.units = 0
    this.ruin = 0
  }

  /**
   * F10, F11, F13: closes the position if this bar reaches its stop or target, in the order of time: a bar that
   * opens beyond the stop fills at its open, one that opens beyond the target fills there; inside the bar the
   * stop is taken to come first. The trailing level uses the peak of the bars before.
   */
  private exitAtStops(bars: BarColumns, bar: number): boolean {
    const open = bars.open[bar]!
    const high = bars.high[bar]!
    const low = bars.low[bar]!
    // Most bars reach nothing, and need no trailing level to the last digit.
    let near = this.stopReach
    const far = this.targetReach
    if (this.units > 0) {
      if (this.trailingStop !== null) near = Math.max(near, this.peak * this.trailNear)
      return (low <= near || high >= far || open <= near || open >= far) && this.exitWhereReached(1, bar, open, low, high)
    }
    if (this.trailingStop !== null) near = Math.min(near, this.peak * this.trailNear)
    return (high >= near || low <= far || open >= near || open <= far) && this.exitWhereReached(-1, bar, open, high, low)
  }

  private exitWhereReached(side: 1 | -1, bar: number, open: number, worst: number, best: number): boolean {
    const { stopSlippage } = this.execution
    const { target, targetReach } = this
    let stop = this.stop
    let reason = STOP_LOSS
    if (this.trailingStop !== null) {
      const trailing = written(this.peak * this.trailFactor, this.peak)
      if (side * trailing > side * stop) {
        stop = trailing
        reason = TRAILING_STOP
      }
    }
    const stopReach = reachOf(stop, -side)
    if (side * open <= side * stopReach) this.exit(bar, open, stopSlippage, reason)
    else if (side * open >= side * targetReach) this.exit(bar, open, 0, TAKE_PROFIT)
    else if (side * worst <= side * stopReach) this.exit(bar, stop, stopSlippage, reason)
    else if (side * best >= side * targetReach) this.exit(bar, target, 0, TAKE_PROFIT)
    else return false
    return true
  }

  private raisePeak(bars: BarColumns, bar: number): void {
    if (this.trailingStop === null) return
    if (this.units > 0) this.peak = Math.max(this.peak, bars.high[bar]!)
    else this.peak = Math.min(this.peak, bars.low[bar]!)
  }
}
