/**
 * Measures one simulation: fills a row of SWEEP_METRICS. Both sweeps and single backtests measure here, so the
 * numbers of a trial and of its rerun are the same bits. NaN stands for "not defined" and for nothing else.
 *
 * Order of summation: equity first to last; returns in two passes (mean, then squared deviations), each as two
 * sums, of the even and of the odd ones, added at the end (one sum waits for every addition: a third slower);
 * trades in the order of their exits. Two passes cost 1 ns a bar more than the one-pass formula, which loses its digits when the mean
 * is large against the deviation. Squares are written as products: V8's interpreter and its compiler need not
 * round `x ** 2` alike, and a result must not depend on which of them ran. A deviation at the level of
 * rounding (see NO_VARIANCE) counts as none.
 */
import type { BarColumns } from '../../market/layout.js'
import type { RunRecord } from '../simulate/simulation.js'
import { ENTRY_BAR, EXIT_BAR, PNL, RETURN } from '../simulate/trade-log.js'
import { SWEEP_METRICS } from './sweep-metrics.js'

const YEAR_MS = 365.25 * 86_400_000
/** Returns near 1 carry rounding errors of about 2e-16; a deviation below this, absolute or relative, is noise. */
const NO_VARIANCE = 1e-15
const NO_VARIANCE_RELATIVE = 1e-12

export interface Annualisation {
  readonly periodsPerYear: number
  /** Annual, a fraction. */
  readonly riskFree: number
}

export class SweepMeter {
  /** Simple returns of bars from + 1 .. to - 1 of the last measured run, `returnCount` of them. */
  readonly returns: Float64Array
  returnCount = 0
  private readonly annualisation: Annualisation

  constructor(length: number, annualisation: Annualisation) {
    this.returns = new Float64Array(length)
    this.annualisation = annualisation
  }

  /** Writes SWEEP_METRICS of bars [from, to) to `out` from `at` on. */
  measure(run: RunRecord, bars: BarColumns, from: number, to: number, initialCash: number, out: Float64Array, at: number): void {
    const drawdownAndMean = this.passEquity(run.equity, from, to, initialCash)
    const final = run.equity[to - 1]!
    const growth = final / initialCash
    const { periodsPerYear, riskFree } = this.annualisation
    const count = this.returnCount
    const annual = count > 0 && growth > 0 ? growth ** (periodsPerYear / count) - 1 : NaN
    const years = (bars.time[to - 1]! - bars.time[from]!) / YEAR_MS
    out[at] = (growth - 1) * 100
    out[at + 1] = annual * 100
    out[at + 2] = years > 0 && growth > 0 ? (growth ** (1 / years) - 1) * 100 : NaN
    this.passReturns(riskFree / periodsPerYear, Math.sqrt(periodsPerYear), out, at)
    const drawdown = drawdownAndMean.drawdown
    out[at + 6] = drawdown < 0 ? annual / -drawdown : NaN
    out[at + 7] = drawdown * 100
    this.passTrades(run, from, to, out, at)
    out[at + 18] = drawdownAndMean.meanEquity > 0 ? run.notional / drawdownAndMean.meanEquity : NaN
    out[at + 19] = run.feesPaid
    out[at + 20] = final
    // Equal results are equal bytes, and text knows only one zero.
    for (let k = at; k < at + SWEEP_METRICS.length; k++) out[k] = out[k]! + 0
  }

  /** Returns into the scratch column; deepest drawdown below the running peak, which starts at the initial cash. */
  private passEquity(equity: Float64Array, from: number, to: number, initialCash: number): { drawdown: number; meanEquity: number } {
    const returns = this.returns
    let previous = equity[from]!
    let peak = Math.max(initialCash, previous)
    let lowest = previous / peak // equity as a share of its peak
    let sum = previous
    let k = 0
    for (let i = from + 1; i < to; i++) {
      const value = equity[i]!
      // After equity fell to zero or below nothing trades any more: the return is 0, not a ratio of signs.
      returns[k++] = value === previous || previous <= 0 ? 0 : value / previous - 1
      if (value > peak) peak = value
      else if (value < lowest * peak) lowest = value / peak
      sum += value
      previous = value
    }
    this.returnCount = k
    return { drawdown: lowest - 1, meanEquity: sum / (to - from) }
  }

  /** volatility, sharpe_ratio, sortino_ratio. */
  private passReturns(riskFree: number, rootPeriods: number, out: Float64Array, at: number): void {
    const returns = this.returns
    const count = this.returnCount
    const even = count - (count % 2)
    let sum = 0, sumOdd = 0
    let downside = 0, downsideOdd = 0
    for (let k = 0; k < even; k += 2) {
      sum += returns[k]!
      sumOdd += returns[k + 1]!
      const excess = Math.min(returns[k]! - riskFree, 0)
      const excessOdd = Math.min(returns[k + 1]! - riskFree, 0)
      downside += excess * excess
      downsideOdd += excessOdd * excessOdd
    }
    if (even < count) {
      sum += returns[even]!
      const excess = Math.min(returns[even]! - riskFree, 0)
      downside += excess * excess
    }
    downside += downsideOdd
    const mean = (sum + sumOdd) / count
    let squares = 0, squaresOdd = 0
    for (let k = 0; k < even; k += 2) {
      const deviation = returns[k]! - mean
      const deviationOdd = returns[k + 1]! - mean
      squares += deviation * deviation
      squaresOdd += deviationOdd * deviationOdd
    }
    if (even < count) {
      const deviation = returns[even]! - mean
      squares += deviation * deviation
    }
    squares += squaresOdd
    const deviation = count > 1 ? Math.sqrt(squares / (count - 1)) : NaN
    const excess = mean - riskFree
    const varies = deviation > NO_VARIANCE && deviation > NO_VARIANCE_RELATIVE * Math.abs(mean)
    out[at + 3] = deviation * rootPeriods * 100
    out[at + 4] = varies ? (excess / deviation) * rootPeriods : NaN
    out[at + 5] = varies && downside > 0 ? (excess / Math.sqrt(downside / count)) * rootPeriods : NaN
  }

  /** total_trades … exposure, out[at + 8] to out[at + 17]. */
  private passTrades(run: RunRecord, from: number, to: number, out: Float64Array, at: number): void {
    const { trades } = run
    const count = trades.count
    let wins = 0, won = 0, losses = 0, lost = 0, sum = 0, sumReturn = 0
    let best = -Infinity, worst = Infinity
    let covered = from - 1 // last bar already counted as exposed
    let exposed = 0
    let nested = false // a lot lived within the life of another
    for (let k = 0; k < count; k++) {
      const pnl = trades.at(k, PNL)
      const ret = trades.at(k, RETURN)
      sum += pnl
      sumReturn += ret
      if (pnl > 0) { wins++; won += pnl } else if (pnl < 0) { losses++; lost -= pnl }
      if (ret > best) best = ret
      if (ret < worst) worst = ret
      const exitBar = trades.at(k, EXIT_BAR)
      nested ||= k > 0 && trades.at(k, ENTRY_BAR) < trades.at(k - 1, ENTRY_BAR)
      exposed += exitBar - Math.max(trades.at(k, ENTRY_BAR) - 1, covered)
      covered = exitBar
    }
    if (run.units !== 0) {
      nested ||= count > 0 && run.entryBar < trades.at(count - 1, ENTRY_BAR)
      exposed += to - 1 - Math.max(run.entryBar - 1, covered)
    }
    if (nested) exposed = barsHeld(run, from, to)
    const mean = sum / count
    let squares = 0
    for (let k = 0; k < count; k++) {
      const difference = trades.at(k, PNL) - mean
      squares += difference * difference
    }
    const deviation = Math.sqrt(squares / (count - 1))
    const winRate = wins / count
    out[at + 8] = count
    out[at + 9] = count > 0 ? winRate : NaN
    out[at + 10] = count > 0 ? best * 100 : NaN
    out[at + 11] = count > 0 ? worst * 100 : NaN
    out[at + 12] = count > 0 ? (sumReturn / count) * 100 : NaN
    out[at + 13] = lost > 0 ? won / lost : NaN
    out[at + 14] = count > 0 ? mean : NaN
    out[at + 15] = count > 1 && deviation > NO_VARIANCE_RELATIVE * Math.abs(mean) ? (Math.sqrt(count) * mean) / deviation : NaN
    out[at + 16] = wins > 0 && losses > 0 ? winRate - (1 - winRate) / (won / wins / (lost / losses)) : NaN
    out[at + 17] = exposed / (to - from)
  }
}

/** Percent from the first close of [from, to) to its last. */
export function buyAndHoldReturn(bars: BarColumns, from: number, to: number): number {
  return (bars.close[to - 1]! / bars.close[from]! - 1) * 100
}

/** Bars with a position, where lots nest and their ends alone do not tell. */
function barsHeld({ trades, units, entryBar }: RunRecord, from: number, to: number): number {
  const held = new Uint8Array(to - from)
  for (let k = 0; k < trades.count; k++) held.fill(1, trades.at(k, ENTRY_BAR) - from, trades.at(k, EXIT_BAR) + 1 - from)
  if (units !== 0) held.fill(1, entryBar - from)
  let sum = 0
  for (const one of held) sum += one
  return sum
}
