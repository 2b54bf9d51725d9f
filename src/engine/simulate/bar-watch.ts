/**
 * What happens inside one bar to open lots and to the resting order: either the worst that the bar allows (F11, F23) or
 * along a supposed path of the price (F24). It decides where and why; the account does the booking.
 */
import type { BarColumns } from '../../market/layout.js'
import type { ExecutionSpec } from '../specs/execution-spec.js'
import type { Account, RestingOrder } from './account.js'
import type { Lot } from './lots.js'
import { liquidationPrice, marginsGonePrice } from './liquidation-price.js'
import type { Ticks } from './ticks.js'
import { reaches, reachOf, written } from './written-price.js'
import { MARGIN_CALL, STOP_LOSS, TAKE_PROFIT, TRAILING_STOP } from './trade-log.js'

/** F24: the low is as near as the high, for decimals that doubles do not hold. */
const EVEN = 2 ** -50
/** Within the walk: nothing is reached on this leg. */
const NOTHING = -1

export class BarWatch {
  private readonly account: Account
  private readonly execution: ExecutionSpec
  private readonly ticks: Ticks
  /** Of the position as it was at the bar's open, or when an order last opened a lot; infinitely far in a spot market. */
  private liquidation = 0.1
  /** The price at which the margins of that position are gone: no liquidation fills beyond it. */
  worst = 0.1
  /** Level and reason of the stop that was asked for last. */
  private stop = 0.1
  private reason = STOP_LOSS

  constructor(account: Account, execution: ExecutionSpec, ticks: Ticks) {
    this.account = account
    this.execution = execution
    this.ticks = ticks
  }

  follow(bars: BarColumns, bar: number): void {
    this.findLiquidation()
    if (this.execution.intrabarPath === 'pessimistic') this.followWorst(bars, bar)
    else this.followPath(bars, bar)
  }

  /** F30: a position whose bar opens beyond its liquidation price is gone before anything else. */
  liquidateAtOpen(bar: number, open: number): void {
    this.findLiquidation()
    const { lots } = this.account
    const side = lots.units > 0 ? 1 : -1
    if (!reaches(open, this.liquidation, -side)) return
    while (lots.count > 0) this.account.exit(0, bar, open, this.execution.stopSlippage, MARGIN_CALL)
  }

  /** F11 for every lot; true when at least one was closed. Peaks stay. */
  pessimisticExits(bars: BarColumns, bar: number): boolean {
    const { lots } = this.account
    if (lots.count === 0) return false
    this.findLiquidation()
    const before = lots.count
    for (let k = 0; k < lots.count;) if (!this.exitWorst(k, bars, bar)) k++
    return lots.count < before
  }

  private followWorst(bars: BarColumns, bar: number): void {
    const { lots } = this.account
    for (let k = 0; k < lots.count;) {
      // F12: the entry bar counts only for an entry at its open, and only if asked for.
      if (this.sleeps(lots.at(k), bar) || !this.exitWorst(k, bars, bar)) {
        raise(lots.at(k), lots.units > 0 ? bars.high[bar]! : bars.low[bar]!)
        k++
      }
    }
    const order = this.account.resting
    if (order !== null) this.fillWorst(order, bars, bar)
  }

  /** F10, F11, F13: true when this bar takes the lot out. */
  private exitWorst(k: number, bars: BarColumns, bar: number): boolean {
    const { account, execution: e } = this
    const lot = account.lots.at(k)
    const side = lot.units > 0 ? 1 : -1
    const open = bars.open[bar]!
    this.findStop(lot)
    const { stop, reason } = this
    const worst = side > 0 ? bars.low[bar]! : bars.high[bar]!
    const best = side > 0 ? bars.high[bar]! : bars.low[bar]!
    const from = side * reachOf(stop, -side)
    const upTo = side * reachOf(lot.target, side)
    if (side * open <= from) account.exit(k, bar, open, e.stopSlippage, reason)
    else if (side * open >= upTo) account.exit(k, bar, open, 0, TAKE_PROFIT)
    else if (side * worst <= from) account.exit(k, bar, stop, e.stopSlippage, reason)
    else if (side * best >= upTo) account.exit(k, bar, lot.target, 0, TAKE_PROFIT)
    else return false
    return true
  }

  /** F22, F23: the order, and the rest of the bar for the lot that it opens. */
  private fillWorst(order: RestingOrder, bars: BarColumns, bar: number): void {
    const { account, execution: e } = this
    const { lots } = account
    const { side } = order
    const isLimit = e.entryOrder?.type === 'limit'
    const open = bars.open[bar]!
    const worst = side > 0 ? bars.low[bar]! : bars.high[bar]!
    const best = side > 0 ? bars.high[bar]! : bars.low[bar]!
    const way = this.wayTo(order)
    const atOpen = reaches(open, order.trigger, way)
    if (!atOpen && !reaches(isLimit ? worst : best, order.trigger, way)) return
    const raw = atOpen ? open : order.trigger
    if (!this.fill(order, bar, raw, atOpen)) return
    const k = lots.count - 1
    const lot = lots.at(k)
    if (e.stopOnEntryBar) {
      if (atOpen) {
        if (this.exitWorst(k, bars, bar)) return
      } else {
        this.findStop(lot)
        const { stop, reason } = this
        if (reaches(worst, stop, -side)) {
          account.exit(k, bar, reaches(raw, stop, -side) ? raw : stop, e.stopSlippage, reason)
          return
        }
        if (!isLimit && reaches(best, lot.target, side)) {
          account.exit(k, bar, reaches(raw, lot.target, side) ? raw : lot.target, 0, TAKE_PROFIT)
          return
        }
      }
    }
    // The high may have come before a limit was reached.
    raise(lot, isLimit && !atOpen ? bars.close[bar]! : best)
  }

  /** F24. */
  private followPath(bars: BarColumns, bar: number): void {
    const open = bars.open[bar]!, close = bars.close[bar]!
    const { finer } = this.account
    if (finer === undefined || finer.from[bar] === finer.from[bar + 1]) {
      this.walk(bars, bar, bar)
      return
    }
    this.jump(open, bar)
    for (let k = finer.from[bar]!; k < finer.from[bar + 1]!; k++) this.walk(finer.bars, k, bar)
    // Finer bars that do not reach the close: what the bar says of it holds.
    this.leg(finer.bars.close[finer.from[bar + 1]! - 1]!, close, bar)
  }

  /** Along the path of bar `k` of these bars, which is the bar itself or a finer one in it. */
  private walk(bars: BarColumns, k: number, bar: number): void {
    const open = bars.open[k]!, high = bars.high[k]!, low = bars.low[k]!
    const { intrabarPath } = this.execution
    if (this.passes(bar, Math.max(open, high, low, bars.close[k]!), Math.min(open, high, low, bars.close[k]!))) return
    const highFirst = intrabarPath === 'ohlc' || (intrabarPath !== 'olhc' && 2 * open - low - high > high * EVEN)
    this.jump(open, bar)
    let price = this.leg(open, highFirst ? high : low, bar)
    price = this.leg(price, highFirst ? low : high, bar)
    this.leg(price, bars.close[k]!, bar)
  }

  /**
   * True for a price that reaches nothing between its top and its bottom, on whatever path: then only the peaks rise. Most
   * bars are such, and walking their path takes four times as long.
   */
  private passes(bar: number, top: number, bottom: number): boolean {
    const { account } = this
    const { lots, resting } = account
    for (let k = 0; k < lots.count; k++) {
      const lot = lots.at(k)
      if (this.sleeps(lot, bar)) continue
      const side = lot.units > 0 ? 1 : -1
      // As tight as a trailing stop can become on the way.
      const peak = lot.peak
      raise(lot, side > 0 ? top : bottom)
      this.findStop(lot)
      lot.peak = peak
      if (reaches(side > 0 ? bottom : top, this.stop, -side) || reaches(side > 0 ? top : bottom, lot.target, side)) return false
    }
    if (resting !== null) {
      const way = this.wayTo(resting)
      if (reaches(way > 0 ? top : bottom, resting.trigger, way)) return false
    }
    for (let k = 0; k < lots.count; k++) raise(lots.at(k), lots.at(k).units > 0 ? top : bottom)
    return true
  }

  /** Which way the price goes to reach the order: 1 up, -1 down. */
  private wayTo({ side }: RestingOrder): number {
    return this.execution.entryOrder?.type === 'limit' ? -side : side
  }

  /** The price opens here: everything already passed acts here. */
  private jump(open: number, bar: number): void {
    for (const lot of this.account.lots) raise(lot, open)
    this.settleAtOpen(open, bar)
  }

  private settleAtOpen(open: number, bar: number): void {
    const { account, execution: e } = this
    const { lots } = account
    for (let k = 0; k < lots.count;) {
      const lot = lots.at(k)
      const side = lot.units > 0 ? 1 : -1
      this.findStop(lot)
      if (this.sleeps(lot, bar)) k++
      else if (reaches(open, this.stop, -side)) account.exit(k, bar, open, e.stopSlippage, this.reason)
      else if (reaches(open, lot.target, side)) account.exit(k, bar, open, 0, TAKE_PROFIT)
      else k++
    }
    const order = account.resting
    if (order === null) return
    if (reaches(open, order.trigger, this.wayTo(order))) this.fill(order, bar, open, true)
  }

  /** The price goes straight from `from` to `to`; whatever it reaches acts, the nearest first. Returns `to`. */
  private leg(from: number, to: number, bar: number): number {
    const { account, execution: e } = this
    const { lots } = account
    const direction = to > from ? 1 : -1
    let price = from
    for (;;) {
      let nearest = Infinity
      let which = NOTHING
      let raw = 0
      let reason = TAKE_PROFIT
      for (let k = 0; k < lots.count; k++) {
        const lot = lots.at(k)
        if (this.sleeps(lot, bar)) continue
        const side = lot.units > 0 ? 1 : -1
        this.findStop(lot)
        const stopAt = reached(this.stop, -side, price, to, direction)
        if (Math.abs(stopAt - price) < nearest) {
          nearest = Math.abs(stopAt - price)
          which = k
          raw = stopAt
          reason = this.reason
        }
        const targetAt = reached(lot.target, side, price, to, direction)
        if (Math.abs(targetAt - price) < nearest) {
          nearest = Math.abs(targetAt - price)
          which = k
          raw = targetAt
          reason = TAKE_PROFIT
        }
      }
      const order = account.resting
      if (order !== null) {
        const orderAt = reached(order.trigger, this.wayTo(order), price, to, direction)
        if (Math.abs(orderAt - price) < nearest) {
          price = orderAt
          this.fill(order, bar, orderAt, false)
          continue
        }
      }
      if (which === NOTHING) break
      price = raw
      account.exit(which, bar, raw, reason === TAKE_PROFIT ? 0 : e.stopSlippage, reason)
    }
    for (const lot of lots) raise(lot, to)
    return to
  }

  /** True when it opened a lot. */
  private fill(order: RestingOrder, bar: number, raw: number, atOpen: boolean): boolean {
    const { account, execution: e } = this
    const { side, signalBar } = order
    const before = account.trades.count + account.lots.count
    account.takeOrder()
    const atMarket = raw * (1 + side * e.spread)
    const limitPrice = e.entryOrder?.type === 'limit' ? (atOpen && side * atMarket < side * order.level ? atMarket : order.level) : null
    account.enter({ side, bar, raw, limitPrice, signalBar, atClose: false })
    if (account.trades.count + account.lots.count === before) return false
    this.findLiquidation()
    return true
  }

  /** F12: not watched in the bar of its entry. */
  private sleeps(lot: Lot, bar: number): boolean {
    return lot.entryBar === bar && !this.execution.stopOnEntryBar
  }

  /** The tightest of stop-loss, trailing stop and liquidation; in a tie in this order. */
  private findStop(lot: Lot): void {
    const side = lot.units > 0 ? 1 : -1
    this.stop = lot.stop
    this.reason = STOP_LOSS
    const trailing = this.account.trailingLevel(lot.peak, side, lot.trail)
    if (side * trailing > side * this.stop) {
      this.stop = trailing
      this.reason = TRAILING_STOP
    }
    if (side * this.liquidation > side * this.stop) {
      this.stop = this.liquidation
      this.reason = MARGIN_CALL
    }
  }

  private findLiquidation(): void {
    const { perpetual, feeRate, feeFixed, feePerUnit, leverage } = this.execution
    const { lots } = this.account
    const side = lots.units > 0 ? 1 : -1
    this.liquidation = side * -Infinity
    if (perpetual === null || lots.count === 0) return
    this.liquidation = this.ticks.against(written(liquidationPrice(lots, perpetual.maintenance, leverage), lots.entryPrice()), -side)
    // Written too: without fees and maintenance it is the level itself, not one a rounding nearer.
    this.worst = written(marginsGonePrice(lots, feeRate + perpetual.liquidationFee, lots.count * feeFixed + Math.abs(lots.units) * feePerUnit), lots.entryPrice())
  }
}

/** Where a level acts that is reached by going `way` (1 up, -1 down): at it, at the price when that is beyond it, or NaN. */
function reached(level: number, way: number, price: number, to: number, direction: number): number {
  if (reaches(price, level, way)) return price
  return way === direction && reaches(to, level, way) ? level : NaN
}

/** F13: the peak takes the price if that is better. */
function raise(lot: Lot, price: number): void {
  lot.peak = lot.units > 0 ? Math.max(lot.peak, price) : Math.min(lot.peak, price)
}
