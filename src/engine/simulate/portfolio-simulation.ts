/**
 * Several symbols on one wallet (F31, F32): each has its own bars, decisions and lots, and a FullSimulation that fills
 * them; here they are led through every time together, sales before purchases, in the order the symbols are named.
 * Cost: that of the full kernel for every symbol, and nothing is allocated per bar.
 */
import type { BarColumns } from '../../market/layout.js'
import type { ExecutionSpec } from '../specs/execution-spec.js'
import { FullSimulation } from './full-simulation.js'
import { mergeTimes } from './timeline.js'
import type { Timeline } from './timeline.js'
import type { Wallet } from './wallet.js'
import { ruinOf } from './written-price.js'

export class PortfolioSimulation {
  readonly timeline: Timeline
  /** Equity of the whole at each time. */
  readonly equity: Float64Array
  readonly accounts: readonly FullSimulation[]
  readonly wallet: Wallet = { cash: 0.1, elsewhere: 0, exposureElsewhere: 0 }
  liquidated = false
  /** When everything was closed by F16, and from which trade of each symbol on that was why. */
  private ruinedAt = -1
  private readonly ruinedFrom: Int32Array
  private readonly series: readonly BarColumns[]
  private readonly execution: ExecutionSpec
  /** Last price seen of each symbol; 0 before its first bar. */
  private readonly marks: Float64Array

  constructor(series: readonly BarColumns[], execution: ExecutionSpec) {
    this.series = series
    this.execution = execution
    this.timeline = mergeTimes(series)
    this.equity = new Float64Array(this.timeline.length)
    this.accounts = series.map(() => new FullSimulation(0, execution, { wallet: this.wallet }))
    this.marks = new Float64Array(series.length)
    this.ruinedFrom = new Int32Array(series.length)
  }

  get cash(): number { return this.wallet.cash }

  /** `decisions`: for each symbol, one a bar of its own. */
  run(decisions: readonly Uint8Array[]): void {
    const { accounts, series, timeline, marks, execution } = this
    const nextOpen = execution.fill === 'next_open'
    this.wallet.cash = execution.initialCash
    this.liquidated = false
    marks.fill(0)
    accounts.forEach((account, s) => { account.begin(series[s]!) })
    const due = new Uint8Array(accounts.length)
    const atLastOpen = execution.finalize === 'close_last_open'
    const atLastClose = execution.finalize === 'close_last_close'
    for (let t = 0; t < timeline.length; t++) {
      this.mark(t, 'open')
      for (let s = 0; s < accounts.length; s++) {
        const i = timeline.bars[s]![t]!
        due[s] = 0
        if (i <= 0) continue
        accounts[s]!.openBar(i)
        if (nextOpen && accounts[s]!.leaveAtOpen(i, decisions[s]![i - 1]!)) due[s] = decisions[s]![i - 1]!
      }
      if (atLastOpen) this.endAtOpen(t, due)
      for (let s = 0; s < accounts.length; s++) {
        if (due[s] === 0) continue
        this.lookElsewhere(s)
        accounts[s]!.arriveAtOpen(timeline.bars[s]![t]!, due[s]!)
      }
      for (let s = 0; s < accounts.length; s++) {
        const i = timeline.bars[s]![t]!
        if (i < 0) continue
        this.lookElsewhere(s)
        accounts[s]!.passBar(i, i === series[s]!.length - 1)
      }
      this.mark(t, 'close')
      if (!nextOpen) this.leaveAtClose(t, decisions)
      if (atLastClose && this.someEnd(t)) this.endAtClose(t, nextOpen ? null : decisions)
      if (!nextOpen) this.arriveAtClose(t, decisions, false)
      // What happens after the end of all is nobody's ruin any more (F16 comes before F17).
      if (!(atLastClose && t === timeline.length - 1)) this.stopIfRuined(t)
      this.equity[t] = this.worth()
    }
  }

  /** Which series have their last bar at this time. */
  private endsAt(s: number, t: number): boolean {
    return this.timeline.bars[s]![t] === this.series[s]!.length - 1
  }

  private someEnd(t: number): boolean {
    for (let s = 0; s < this.accounts.length; s++) if (this.endsAt(s, t)) return true
    return false
  }

  /** F32: a symbol that ends at this open does its own entry and is closed, before the others buy. */
  private endAtOpen(t: number, due: Uint8Array): void {
    for (let s = 0; s < this.accounts.length; s++) {
      if (!this.endsAt(s, t)) continue
      const i = this.timeline.bars[s]![t]!
      this.lookElsewhere(s)
      if (due[s] !== 0) this.accounts[s]!.arriveAtOpen(i, due[s]!)
      due[s] = 0
      this.accounts[s]!.closeAtLastOpen(i)
    }
  }

  /** The same at the last close; F16 looks at the equity before, as in a backtest of one. */
  private endAtClose(t: number, decisions: readonly Uint8Array[] | null): void {
    if (decisions !== null) this.arriveAtClose(t, decisions, true)
    this.stopIfRuined(t)
    for (let s = 0; s < this.accounts.length; s++) if (this.endsAt(s, t)) this.accounts[s]!.closeAtEnd(this.timeline.bars[s]![t]!)
  }

  private leaveAtClose(t: number, decisions: readonly Uint8Array[]): void {
    const { accounts, timeline } = this
    for (let s = 0; s < accounts.length; s++) {
      const i = timeline.bars[s]![t]!
      if (i >= 0) accounts[s]!.leaveAtClose(i, decisions[s]![i]!)
    }
  }

  /** The entries of the symbols that end at this close, which F17 closes there, or of the others. */
  private arriveAtClose(t: number, decisions: readonly Uint8Array[], ofEnding: boolean): void {
    const { accounts, timeline, execution } = this
    for (let s = 0; s < accounts.length; s++) {
      const i = timeline.bars[s]![t]!
      if (i < 0 || (execution.finalize === 'close_last_close' && this.endsAt(s, t)) !== ofEnding) continue
      this.lookElsewhere(s)
      accounts[s]!.arriveAtClose(i, decisions[s]![i]!)
    }
  }

  private worth(): number {
    let value = this.wallet.cash
    for (let s = 0; s < this.accounts.length; s++) value += this.accounts[s]!.units * this.marks[s]!
    return value
  }

  /** At this time's closes, with equity of zero or below, everything is closed and trading stops (F16). */
  private stopIfRuined(t: number): void {
    const { accounts, timeline, series } = this
    if (this.worth() > ruinOf(this.wallet.cash) || accounts.every(({ halted }) => halted)) return
    this.ruinedAt = t
    for (let s = 0; s < accounts.length; s++) {
      this.ruinedFrom[s] = accounts[s]!.trades.count
      accounts[s]!.halt(lastBarAt(timeline.bars[s]!, t, series[s]!))
    }
    this.liquidated = true
  }

  /** The time of an exit: a symbol that has no bar when everything is closed leaves at that time too, at its last close. */
  exitTime(s: number, trade: number, bar: number, placeOf: Int32Array): number {
    return this.liquidated && trade >= this.ruinedFrom[s]! ? this.ruinedAt : placeOf[bar]!
  }

  private mark(t: number, price: 'open' | 'close'): void {
    for (let s = 0; s < this.marks.length; s++) {
      const i = this.timeline.bars[s]![t]!
      if (i >= 0) this.marks[s] = this.series[s]![price][i]!
    }
  }

  /** What the other symbols hold, at the prices of the moment. */
  private lookElsewhere(self: number): void {
    let value = 0
    let exposure = 0
    for (let s = 0; s < this.accounts.length; s++) {
      if (s === self) continue
      const held = this.accounts[s]!.units * this.marks[s]!
      value += held
      exposure += Math.abs(held)
    }
    this.wallet.elsewhere = value
    this.wallet.exposureElsewhere = exposure
  }
}

/** The newest bar of a series at or before a time. */
function lastBarAt(bars: Int32Array, t: number, { length }: BarColumns): number {
  for (let k = t; k >= 0; k--) if (bars[k]! >= 0) return bars[k]!
  return Math.min(0, length - 1)
}
