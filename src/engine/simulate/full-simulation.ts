/**
 * The execution kernel of everything in docs/fills.md: several lots, resting orders, paths within a bar, distances by
 * indicator, ticks, interest, perpetuals. Some ten times slower than fast-simulation.ts, whose bits it gives for what
 * that one can do. This file holds the account and the order of a bar; bar-watch.ts what happens inside one.
 *
 * Invariants: cash + units × close = equity on every bar; nothing on bar i depends on a bar after i; nothing is allocated
 * per bar. One instance belongs to one thread and is reused: run() resets it.
 */
import type { BarColumns } from '../../market/layout.js'
import type { ExecutionSpec } from '../specs/execution-spec.js'
import { BarWatch } from './bar-watch.js'
import { LONG_ENTRY, LONG_EXIT, SHORT_ENTRY, SHORT_EXIT } from './decisions.js'
import { DistanceLevels } from './distance-levels.js'
import { feeOf } from './fees.js'
import { fundingColumns } from './funding.js'
import type { FundingColumns } from './funding.js'
import type { FinerBars } from './finer-bars.js'
import { Lots } from './lots.js'
import { entryUnits } from './entry-units.js'
import type { Account, EntryFill, RestingOrder } from './account.js'
import type { Simulation } from './simulation.js'
import type { Wallet } from './wallet.js'
import { ruinOf, written } from './written-price.js'
import { Ticks } from './ticks.js'
import { END, LIQUIDATION, MARGIN_CALL, SIGNAL, TAKE_PROFIT, TradeLog } from './trade-log.js'

const YEAR_MS = 365 * 86_400_000

export class FullSimulation implements Simulation, Account {
  readonly equity: Float64Array
  readonly trades = new TradeLog()
  readonly lots = new Lots()
  feesPaid = 0.1
  notional = 0.1
  interestPaid = 0.1
  fundingPaid = 0.1
  rejectedEntries = 0
  liquidated = false

  readonly finer: FinerBars | undefined

  private order: RestingOrder | null = null
  /** Nothing is traded any more. */
  halted = false
  private readonly execution: ExecutionSpec
  private readonly ticks: Ticks
  private readonly levels = new DistanceLevels()
  private readonly watch: BarWatch
  private bars: BarColumns | undefined
  private funding: FundingColumns | undefined

  private readonly wallet: Wallet

  /** `length`: of the bars to be simulated. A `wallet` that is given is shared with other accounts. */
  constructor(length: number, execution: ExecutionSpec, { wallet, finer }: { wallet?: Wallet; finer?: FinerBars } = {}) {
    this.wallet = wallet ?? { cash: 0.1, elsewhere: 0, exposureElsewhere: 0 }
    this.finer = finer
    this.equity = new Float64Array(length)
    this.execution = execution
    this.ticks = new Ticks(execution.tickSize)
    this.watch = new BarWatch(this, execution, this.ticks)
  }

  get cash(): number { return this.wallet.cash }
  get units(): number { return this.lots.units }
  get entryBar(): number { return this.lots.oldest?.entryBar ?? 0 }
  get entryPrice(): number { return this.lots.entryPrice() }
  get entryFee(): number { return this.lots.entryFee() }

  run(bars: BarColumns, decisions: Uint8Array, from: number, to: number, onClose?: (bar: number) => void): void {
    this.wallet.cash = this.execution.initialCash
    this.begin(bars)
    const { close } = bars
    const { equity, execution, lots } = this
    const nextOpen = execution.fill === 'next_open'
    for (let i = from; i < to; i++) {
      if (i > from) {
        this.openBar(i)
        if (nextOpen && this.leaveAtOpen(i, decisions[i - 1]!)) this.arriveAtOpen(i, decisions[i - 1]!)
      }
      this.passBar(i, i === to - 1)
      if (!nextOpen && !this.halted) {
        if (onClose !== undefined) {
          equity[i] = this.cash + lots.units * close[i]!
          onClose(i)
        }
        this.leaveAtClose(i, decisions[i]!)
        this.arriveAtClose(i, decisions[i]!)
      }
      const { cash } = this.wallet
      let value = cash + lots.units * close[i]!
      if (value <= ruinOf(cash) && !this.halted) {
        this.halt(i)
        value = this.cash
      }
      equity[i] = value
      if (nextOpen && onClose !== undefined && !this.halted) onClose(i)
    }
    if (execution.finalize === 'close_last_close' && lots.count > 0) {
      this.closeAtEnd(to - 1)
      equity[to - 1] = this.cash
    }
  }

  // The parts of a bar, one by one and in this order, for whoever runs several accounts on one wallet.

  /** Flat, without touching the wallet. */
  begin(bars: BarColumns): void {
    const { perpetual } = this.execution
    if (this.bars !== bars) {
      this.bars = bars
      this.levels.use(bars)
      this.funding = perpetual === null ? undefined : fundingColumns(bars.time, perpetual.funding)
    }
    this.trades.clear()
    this.lots.clear()
    this.order = null
    this.halted = false
    this.feesPaid = 0
    this.notional = 0
    this.interestPaid = 0
    this.fundingPaid = 0
    this.rejectedEntries = 0
    this.liquidated = false
  }

  /** What befalls the lots held over from the bar before anything is decided: what they owe, and a gap beyond their margins. */
  openBar(i: number): void {
    if (this.lots.count === 0) return
    this.payForHolding(i)
    if (this.execution.perpetual !== null) this.watch.liquidateAtOpen(i, this.bars!.open[i]!)
  }

  /** F27 to F29, for the time since the bar before. */
  private payForHolding(i: number): void {
    const { borrowRate } = this.execution
    const { units } = this.lots
    const bars = this.bars!
    if (borrowRate > 0) {
      const borrowed = units > 0 ? Math.max(0, -this.cash) : -units * bars.close[i - 1]!
      const interest = borrowed * borrowRate * ((bars.time[i]! - bars.time[i - 1]!) / YEAR_MS)
      this.wallet.cash -= interest
      this.interestPaid += interest
    }
    if (this.funding === undefined) return
    const { since, at } = this.funding
    let funding = 0
    for (const lot of this.lots) funding += lot.units * bars.open[i]! * (lot.atClose && lot.entryBar === i - 1 ? at[i]! : since[i]!)
    this.wallet.cash -= funding
    this.fundingPaid += funding
  }

  /** F5 at the open, by the decision of the bar before; false when that decision is void (F14). */
  leaveAtOpen(i: number, decision: number): boolean {
    if (decision === 0 || this.halted) return false
    const { execution: e } = this
    const hasStops = e.stopLoss !== null || e.takeProfit !== null || e.trailingStop !== null
    if (hasStops && e.stopPriority === 'stop_first' && this.watch.pessimisticExits(this.bars!, i)) return false
    this.leave(decision, i, this.bars!.open[i]!)
    return true
  }

  arriveAtOpen(i: number, decision: number): void {
    if (!this.halted) this.arrive(decision, i, i - 1, this.bars!.open[i]!, false)
  }

  /** The end at the open of the last bar, and what happens inside the bar. */
  passBar(i: number, isLast: boolean): void {
    const { execution: e, lots } = this
    const bars = this.bars!
    if (isLast && e.finalize === 'close_last_open') this.closeAtLastOpen(i)
    if (this.order !== null && (this.halted || i > this.order.lastBar)) this.order = null
    const isWatched = e.stopLoss !== null || e.takeProfit !== null || e.trailingStop !== null || e.perpetual !== null
    if ((isWatched && lots.count > 0) || this.order !== null) this.watch.follow(bars, i)
  }

  leaveAtClose(i: number, decision: number): void {
    if (decision !== 0 && !this.halted) this.leave(decision, i, this.bars!.close[i]!)
  }

  arriveAtClose(i: number, decision: number): void {
    if (decision !== 0 && !this.halted) this.arrive(decision, i, i, this.bars!.close[i]!, true)
  }

  /** F16. */
  halt(i: number): void {
    this.exitAll(i, this.bars!.close[i]!, this.execution.stopSlippage, LIQUIDATION)
    this.liquidated = true
    this.halted = true
  }

  closeAtLastOpen(i: number): void {
    this.exitAll(i, this.bars!.open[i]!, this.execution.stopSlippage, END)
    this.halted = true
  }

  closeAtEnd(i: number): void {
    this.exitAll(i, this.bars!.close[i]!, this.execution.stopSlippage, END)
  }

  get resting(): RestingOrder | null { return this.order }

  takeOrder(): void {
    this.order = null
  }

  trailingLevel(peak: number, side: number, trail: number): number {
    const { trailingStop } = this.execution
    if (trailingStop === null) return side * -Infinity
    return this.ticks.against(written(typeof trailingStop === 'number' ? peak * (1 - side * trailingStop) : peak - side * trail, peak), -side)
  }

  /** F6, F8, F10, F20, F21: opens a lot, or counts why not. */
  enter({ side, bar, raw, limitPrice, signalBar, atClose }: EntryFill): void {
    const { execution: e, lots, ticks, levels } = this
    if (lots.count > 0) {
      if (e.entryWhenInPosition === 'ignore' || (e.entryWhenInPosition === 'add' && lots.count >= (e.maxEntries ?? Infinity))) return
      if (e.entryWhenInPosition === 'replace') this.exitAll(bar, raw, e.slippage, SIGNAL)
    }
    const price = ticks.against(limitPrice ?? raw * (1 + side * e.spread) * (1 + side * e.slippage), side)
    const feeRate = limitPrice === null ? e.feeRate : e.makerFeeRate
    const fill = written(price, price)
    const reference = e.stopReference === 'fill_price' ? fill : this.bars!.close[signalBar]!
    const stop = e.stopLoss === null ? side * -Infinity : ticks.against(levels.price(reference, -side, e.stopLoss, signalBar), -side)
    const target = e.takeProfit === null ? side * Infinity : ticks.harder(levels.price(reference, side, e.takeProfit, signalBar), -side)
    const trail = e.trailingStop === null || typeof e.trailingStop === 'number' ? 0 : levels.gap(e.trailingStop, signalBar)
    const trailing = this.trailingLevel(fill, side, trail)
    const units = Number.isNaN(stop) || Number.isNaN(target) || Number.isNaN(trail) ? 0 : entryUnits(e, {
      wallet: this.wallet, heldUnits: lots.units, raw, price, feeRate, stopDistance: Math.min(side * (price - stop), side * (price - trailing)),
    })
    if (!(units > 0)) {
      this.rejectedEntries++
      return
    }
    const notional = units * price
    const fee = feeOf(e, units, notional, feeRate)
    this.wallet.cash -= side * notional + fee
    this.feesPaid += fee
    this.notional += notional
    lots.add({ units: side * units, entryBar: bar, entryPrice: price, entryFee: fee, atClose, stop, target, trail, peak: fill, margin: e.perpetual === null ? 0 : notional / e.leverage })
  }

  exit(k: number, bar: number, raw: number, slippage: number, reason: number): void {
    const e = this.execution
    const lot = this.lots.at(k)
    const { units } = lot
    const side = units > 0 ? 1 : -1
    const isMarginCall = reason === MARGIN_CALL
    const feeRate = reason === TAKE_PROFIT ? e.makerFeeRate : isMarginCall ? e.feeRate + (e.perpetual?.liquidationFee ?? 0) : e.feeRate
    let price = this.ticks.against(raw * (1 - side * slippage), -side)
    // F30: never worse than the price at which the margins are gone.
    if (isMarginCall && side * this.watch.worst > side * price) price = this.watch.worst
    const notional = Math.abs(units) * price
    const fee = feeOf(e, Math.abs(units), notional, feeRate)
    const fees = lot.entryFee + fee
    const pnl = units * (price - lot.entryPrice) - fees
    this.wallet.cash += units * price - fee
    this.feesPaid += fee
    this.notional += notional
    this.trades.push(units, lot.entryBar, lot.entryPrice, bar, price, pnl, pnl / (Math.abs(units) * lot.entryPrice), fees, reason)
    if (isMarginCall) this.liquidated = true
    this.lots.remove(k)
  }

  private exitAll(bar: number, raw: number, slippage: number, reason: number): void {
    while (this.lots.count > 0) this.exit(0, bar, raw, slippage, reason)
  }

  /** F5, F22: what the decision closes and takes out of the market. */
  private leave(decision: number, bar: number, raw: number): void {
    const { lots } = this
    const againstLong = decision & (LONG_EXIT | SHORT_ENTRY)
    const againstShort = decision & (SHORT_EXIT | LONG_ENTRY)
    if ((lots.units > 0 && againstLong !== 0) || (lots.units < 0 && againstShort !== 0)) this.exitAll(bar, raw, this.execution.slippage, SIGNAL)
    if (this.order !== null && (this.order.side > 0 ? againstLong : againstShort) !== 0) this.order = null
  }

  /** F4, F20, F22: an entry, at once or as an order. */
  private arrive(decision: number, bar: number, signalBar: number, raw: number, atClose: boolean): void {
    const { entryOrder } = this.execution
    const side = (decision & LONG_ENTRY) !== 0 ? 1 : (decision & SHORT_ENTRY) !== 0 ? -1 : 0
    if (side === 0) return
    if (entryOrder === null) this.enter({ side, bar, raw, limitPrice: null, signalBar, atClose })
    else this.place(side, entryOrder, this.bars!, signalBar)
  }

  private place(side: 1 | -1, { type, offset, bars: life }: NonNullable<ExecutionSpec['entryOrder']>, bars: BarColumns, signalBar: number): void {
    const { execution: e, lots, levels, ticks } = this
    if (lots.count > 0 && (e.entryWhenInPosition === 'ignore' || (e.entryWhenInPosition === 'add' && lots.count >= (e.maxEntries ?? Infinity)))) return
    const direction = type === 'limit' ? -side : side
    const level = levels.price(bars.close[signalBar]!, direction, offset, signalBar)
    // F21: also when it is only the stop of the later lot that has no ATR yet.
    if (!levels.areThere([offset, e.stopLoss, e.takeProfit, e.trailingStop], signalBar)) {
      this.rejectedEntries++
      return
    }
    const price = type === 'limit' ? ticks.harder(level, side) : ticks.against(level, side)
    const trigger = type === 'limit' ? written(price / (1 + side * e.spread), price) : price
    this.order = { side, level: price, trigger, signalBar, lastBar: life === null ? Infinity : signalBar + life }
  }
}
