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

export class PortfolioSimulation {
  readonly timeline: Timeline
  /** Equity of the whole at each time. */
  readonly equity: Float64Array
  readonly accounts: readonly FullSimulation[]
  readonly wallet: Wallet = { cash: 0.1, elsewhere: 0, exposureElsewhere: 0 }
  liquidated = false
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
    for (let t = 0; t < timeline.length; t++) {
      this.mark(t, 'open')
      for (let s = 0; s < accounts.length; s++) {
        const i = timeline.bars[s]![t]!
        due[s] = 0
        if (i <= 0) continue
        accounts[s]!.openBar(i)
        if (nextOpen && accounts[s]!.leaveAtOpen(i, decisions[s]![i - 1]!)) due[s] = decisions[s]![i - 1]!
      }
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
      if (!nextOpen) this.tradeAtClose(t, decisions)
      this.settle(t)
    }
    if (execution.finalize !== 'close_last_close') return
    // Each at its own last close, which is the last price that counts in the equity anyway.
    accounts.forEach((account, s) => { account.closeAtEnd(series[s]!.length - 1) })
    this.equity[timeline.length - 1] = this.wallet.cash
  }

  private tradeAtClose(t: number, decisions: readonly Uint8Array[]): void {
    const { accounts, timeline } = this
    for (let s = 0; s < accounts.length; s++) {
      const i = timeline.bars[s]![t]!
      if (i >= 0) accounts[s]!.leaveAtClose(i, decisions[s]![i]!)
    }
    for (let s = 0; s < accounts.length; s++) {
      const i = timeline.bars[s]![t]!
      if (i < 0) continue
      this.lookElsewhere(s)
      accounts[s]!.arriveAtClose(i, decisions[s]![i]!)
    }
  }

  /** Equity at this time's closes; at zero or below everything is closed and trading stops (F16). */
  private settle(t: number): void {
    const { accounts, marks, timeline, series } = this
    let value = this.wallet.cash
    for (let s = 0; s < accounts.length; s++) value += accounts[s]!.units * marks[s]!
    if (value <= 0 && accounts.some(({ halted }) => !halted)) {
      for (let s = 0; s < accounts.length; s++) accounts[s]!.halt(lastBarAt(timeline.bars[s]!, t, series[s]!))
      this.liquidated = true
      value = this.wallet.cash
    }
    this.equity[t] = value
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
