/**
 * An independent reference of the execution contract, for tests only: written from docs/fills.md as plainly as
 * possible, one object per position, every rule in the order of time, no regard for speed. It shares no code
 * with the kernel. Crosses and averages are the definitions themselves.
 */
import type { ExecutionSpec } from '../../src/engine/index.js'
import type { BarColumns } from '../../src/market/layout.js'

export interface ReferenceTrade {
  side: 'long' | 'short'
  units: number
  entryBar: number
  entryPrice: number
  exitBar: number
  exitPrice: number
  pnl: number
  fees: number
  exitReason: string
}

export interface ReferenceMasks {
  longEntry: ArrayLike<number>
  longExit: ArrayLike<number>
  shortEntry?: ArrayLike<number>
  shortExit?: ArrayLike<number>
}

interface Position {
  side: 1 | -1
  units: number
  bar: number
  price: number
  fee: number
  reference: number
  peak: number
}

interface Want { longEntry: boolean; longExit: boolean; shortEntry: boolean; shortExit: boolean }

export function referenceRun(bars: BarColumns, masks: ReferenceMasks, e: ExecutionSpec): { equity: number[]; cash: number[]; units: number[]; trades: ReferenceTrade[]; rejected: number } {
  const trades: ReferenceTrade[] = []
  const equity: number[] = []
  const cashes: number[] = []
  const unitsHeld: number[] = []
  let cash = e.initialCash
  let position: Position | null = null
  let stopped = false
  let rejected = 0

  const wantAt = (bar: number): Want => {
    const is = (mask: ArrayLike<number> | undefined): boolean => (mask?.[bar] ?? 0) === 1
    const want = { longEntry: is(masks.longEntry), longExit: is(masks.longExit), shortEntry: is(masks.shortEntry), shortExit: is(masks.shortExit) }
    if (masks.shortEntry === undefined && masks.shortExit === undefined) {
      want.shortEntry = want.longExit
      want.shortExit = want.longEntry
    }
    if (e.direction === 'long') want.shortEntry = want.shortExit = false
    if (e.direction === 'short') want.longEntry = want.longExit = false
    if (want.longEntry && want.longExit) want.longEntry = want.longExit = false
    if (want.shortEntry && want.shortExit) want.shortEntry = want.shortExit = false
    if (want.longEntry && want.shortEntry) want.longEntry = want.shortEntry = false
    return want
  }

  const close = (bar: number, rawPrice: number, slip: number, exitReason: string): void => {
    const p = position
    if (p === null) return
    const exitPrice = p.side === 1 ? rawPrice * (1 - slip) : rawPrice * (1 + slip)
    const exitFee = p.units * exitPrice * e.feeRate + e.feeFixed
    cash = p.side === 1 ? cash + p.units * exitPrice - exitFee : cash - p.units * exitPrice - exitFee
    const fees = p.fee + exitFee
    const gross = p.side === 1 ? (exitPrice - p.price) * p.units : (p.price - exitPrice) * p.units
    trades.push({ side: p.side === 1 ? 'long' : 'short', units: p.units, entryBar: p.bar, entryPrice: p.price, exitBar: bar, exitPrice, pnl: gross - fees, fees, exitReason })
    position = null
  }

  const open = (side: 1 | -1, bar: number, rawPrice: number, signalClose: number): void => {
    const price = side === 1 ? rawPrice * (1 + e.spread) * (1 + e.slippage) : rawPrice * (1 - e.spread) * (1 - e.slippage)
    const power = cash * e.leverage
    const perUnit = price * (1 + e.feeRate)
    const most = (power - e.feeFixed) / perUnit
    const value = e.sizing.value ?? 0
    let units = { all_in: most, fraction: (power * value - e.feeFixed) / perUnit, cash: (value - e.feeFixed) / perUnit, units: value, risk: NaN }[e.sizing.mode]
    const lot = e.sizing.wholeUnits ? 1 : e.sizing.lotSize
    if (lot !== null) units = Math.floor((units / lot) * (1 + (units < 0 ? -1 : 1) * 1e-12)) * lot
    if (units > most * (1 + 1e-12)) units = 0
    if (units <= 0) { rejected++; return }
    const fee = units * price * e.feeRate + e.feeFixed
    cash = side === 1 ? cash - units * price - fee : cash + units * price - fee
    position = { side, units, bar, price, fee, reference: e.stopReference === 'fill_price' ? price : signalClose, peak: price }
  }

  const follow = (want: Want, bar: number, rawPrice: number, signalClose: number): void => {
    if (position?.side === 1 && (want.longExit || want.shortEntry)) close(bar, rawPrice, e.slippage, 'signal')
    else if (position?.side === -1 && (want.shortExit || want.longEntry)) close(bar, rawPrice, e.slippage, 'signal')
    if (position !== null) return
    if (want.longEntry) open(1, bar, rawPrice, signalClose)
    else if (want.shortEntry) open(-1, bar, rawPrice, signalClose)
  }

  /** True when the bar took the position out. */
  const stops = (bar: number): boolean => {
    const p: Position | null = position
    if (p === null || (p.bar === bar && !e.stopOnEntryBar)) return false
    const [o, h, l] = [bars.open[bar] ?? NaN, bars.high[bar] ?? NaN, bars.low[bar] ?? NaN]
    const levels: { level: number; reason: string }[] = []
    if (e.stopLoss !== null) levels.push({ level: p.reference * (1 - p.side * (e.stopLoss as number)), reason: 'stop_loss' })
    if (e.trailingStop !== null) levels.push({ level: p.peak * (1 - p.side * (e.trailingStop as number)), reason: 'trailing_stop' })
    levels.sort((a, b) => p.side * (b.level - a.level)) // the tighter first; a tie is the stop-loss
    const stop = levels[0]
    const target = e.takeProfit === null ? undefined : p.reference * (1 + p.side * (e.takeProfit as number))
    if (p.side === 1) {
      if (stop !== undefined && o <= stop.level) close(bar, o, e.stopSlippage, stop.reason)
      else if (target !== undefined && o >= target) close(bar, o, 0, 'take_profit')
      else if (stop !== undefined && l <= stop.level) close(bar, stop.level, e.stopSlippage, stop.reason)
      else if (target !== undefined && h >= target) close(bar, target, 0, 'take_profit')
    } else {
      if (stop !== undefined && o >= stop.level) close(bar, o, e.stopSlippage, stop.reason)
      else if (target !== undefined && o <= target) close(bar, o, 0, 'take_profit')
      else if (stop !== undefined && h >= stop.level) close(bar, stop.level, e.stopSlippage, stop.reason)
      else if (target !== undefined && l <= target) close(bar, target, 0, 'take_profit')
    }
    return position === null
  }

  for (let bar = 0; bar < bars.length; bar++) {
    const isLast = bar === bars.length - 1
    const [o, c] = [bars.open[bar] ?? NaN, bars.close[bar] ?? NaN]
    if (e.fill === 'next_open' && bar > 0 && !stopped) {
      const want = wantAt(bar - 1)
      const due = want.longEntry || want.longExit || want.shortEntry || want.shortExit
      const preempted = due && e.stopPriority === 'stop_first' && stops(bar)
      if (due && !preempted) follow(want, bar, o, bars.close[bar - 1] ?? NaN)
    }
    if (isLast && e.finalize === 'close_last_open') {
      close(bar, o, e.stopSlippage, 'end')
      stopped = true
    }
    if (!stops(bar) && position !== null) {
      const p: Position = position
      p.peak = p.side === 1 ? Math.max(p.peak, bars.high[bar] ?? NaN) : Math.min(p.peak, bars.low[bar] ?? NaN)
    }
    if (e.fill === 'close' && !stopped) follow(wantAt(bar), bar, c, c)
    const held = (): number => (position === null ? 0 : position.side * position.units)
    if (cash + held() * c <= 0 && !stopped) {
      close(bar, c, e.stopSlippage, 'liquidation')
      stopped = true
    }
    if (isLast && e.finalize === 'close_last_close') close(bar, c, e.stopSlippage, 'end')
    equity.push(cash + held() * c)
    cashes.push(cash)
    unitsHeld.push(held())
  }
  return { equity, cash: cashes, units: unitsHeld, trades, rejected }
}
