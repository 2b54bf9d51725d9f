/**
 * Slow second opinions on indicators that TA-Lib does not have or not in this form, written from their definitions:
 * each gives the value of one bar, from windows cut anew or recursions run from the start.
 */
import type { Inputs } from '../../property/engine-indicators.js'
import type { ColumnIndicator } from '../../../src/engine/indicators/indicators.js'

type At = (bar: number) => number
type Reference = (bars: Inputs, ...args: number[]) => Readonly<Record<string, At>>

const span = (at: At, bar: number, n: number): number[] => Array.from({ length: n }, (_, k) => at(bar - n + 1 + k))
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)
const mean = (values: readonly number[]): number => total(values) / values.length
const of = (column: Float64Array): At => (bar) => column[bar] ?? NaN
const deviation = (values: readonly number[]): number => Math.sqrt(mean(values.map((value) => (value - mean(values)) * (value - mean(values)))))

const sma = (at: At, n: number): At => (bar) => mean(span(at, bar, n))
const wma = (at: At, n: number): At => (bar) => total(span(at, bar, n).map((value, k) => value * (k + 1))) / ((n * (n + 1)) / 2)
/** With the mean of the n values up to bar `seed` as the first, then a share of each new one. */
const smoothed = (at: At, n: number, seed: number, share: number): At => (bar) => {
  if (bar < seed) return NaN
  let value = mean(span(at, seed, n))
  for (let i = seed + 1; i <= bar; i++) value = value * (1 - share) + at(i) * share
  return value
}
const ema = (at: At, n: number, from = 0): At => smoothed(at, n, from + n - 1, 2 / (n + 1))
const wilder = (at: At, n: number, from = 0): At => smoothed(at, n, from + n - 1, 1 / n)
const highest = (bars: Inputs, bar: number, n: number): number => Math.max(...span(of(bars.high), bar, n))
const lowest = (bars: Inputs, bar: number, n: number): number => Math.min(...span(of(bars.low), bar, n))
const middle = (bars: Inputs, n: number): At => (bar) => (highest(bars, bar, n) + lowest(bars, bar, n)) / 2
const range = ({ high, low, close }: Inputs): At => (bar) =>
  Math.max(high[bar]!, close[bar - 1] ?? NaN) - Math.min(low[bar]!, close[bar - 1] ?? NaN)
const typical = ({ high, low, close }: Inputs): At => (bar) => (high[bar]! + low[bar]! + close[bar]!) / 3
const flow = ({ high, low, close, volume }: Inputs): At => (bar) =>
  volume[bar]! * (2 * ((close[bar]! - low[bar]!) / (high[bar]! - low[bar]!)) - 1)
const rsi = (at: At, n: number): At => {
  const gain = wilder((bar) => Math.max(0, at(bar) - at(bar - 1)), n, 1)
  const loss = wilder((bar) => Math.max(0, at(bar - 1) - at(bar)), n, 1)
  return (bar) => 100 - 100 / (1 + gain(bar) / loss(bar))
}
const weighted = (bars: Inputs, from: number, to: number): number => {
  const bar = Array.from({ length: to - from + 1 }, (_, k) => from + k)
  return total(bar.map((i) => typical(bars)(i) * bars.volume[i]!)) / total(bar.map((i) => bars.volume[i]!))
}

const superTrend = (bars: Inputs, n: number, multiplier: number, bar: number): { trend: number; direction: number } => {
  if (bar < n) return { trend: NaN, direction: NaN }
  const atr = wilder(range(bars), n, 1)
  let [upper, lower, direction] = [Infinity, -Infinity, 1]
  for (let i = n; i <= bar; i++) {
    const center = (bars.high[i]! + bars.low[i]!) / 2
    const [above, below, before, close] = [center + multiplier * atr(i), center - multiplier * atr(i), bars.close[i - 1]!, bars.close[i]!]
    upper = i > n && before <= upper ? Math.min(above, upper) : above
    lower = i > n && before >= lower ? Math.max(below, lower) : below
    if (i > n) direction = direction === 1 ? (close < lower ? -1 : 1) : close > upper ? 1 : -1
  }
  return { trend: direction === 1 ? lower : upper, direction }
}

const heikinAshiOpen = (bars: Inputs): At => (bar) => {
  let open = (bars.open[0]! + bars.close[0]!) / 2
  for (let i = 1; i <= bar; i++) open = (open + (bars.open[i - 1]! + bars.high[i - 1]! + bars.low[i - 1]! + bars.close[i - 1]!) / 4) / 2
  return open
}

export const REFERENCES: readonly [name: ColumnIndicator, args: number[], reference: Reference][] = [
  ['rma', [14], (bars, n) => ({ value: wilder(of(bars.x), n!) })],
  ['hma', [16], (bars, n) => ({ value: wma((bar) => 2 * wma(of(bars.x), n! / 2)(bar) - wma(of(bars.x), n!)(bar), 4) })],
  ['hma', [23], (bars) => ({ value: wma((bar) => 2 * wma(of(bars.x), 11)(bar) - wma(of(bars.x), 23)(bar), 4) })],
  ['vwma', [20], (bars, n) => ({ value: (bar) => total(span((i) => bars.x[i]! * bars.volume[i]!, bar, n!)) / total(span(of(bars.volume), bar, n!)) })],
  ['natr', [14], (bars, n) => ({ value: (bar) => (100 * wilder(range(bars), n!, 1)(bar)) / bars.close[bar]! })],
  ['keltner', [20, 1.5], (bars, n, multiplier) => {
    const band = (side: number): At => (bar) => ema(of(bars.close), n!)(bar) + side * multiplier! * wilder(range(bars), n!, 1)(bar)
    return { upper: band(1), middle: band(0), lower: band(-1) }
  }],
  ['donchian', [20], (bars, n) => ({ upper: (bar) => highest(bars, bar, n!), middle: middle(bars, n!), lower: (bar) => lowest(bars, bar, n!) })],
  ['donchian', [300], (bars, n) => ({ upper: (bar) => highest(bars, bar, n!), middle: middle(bars, n!), lower: (bar) => lowest(bars, bar, n!) })],
  ['superTrend', [10, 3], (bars, n, k) => ({ trend: (bar) => superTrend(bars, n!, k!, bar).trend, direction: (bar) => superTrend(bars, n!, k!, bar).direction })],
  ['superTrend', [5, 1], (bars, n, k) => ({ trend: (bar) => superTrend(bars, n!, k!, bar).trend, direction: (bar) => superTrend(bars, n!, k!, bar).direction })],
  ...[[9, 26, 52], [5, 270, 40]].map((args): [ColumnIndicator, number[], Reference] => ['ichimoku', args, (bars, conversion, base, spanB) => ({
    conversion: middle(bars, conversion!), base: middle(bars, base!),
    spanA: (bar) => (middle(bars, conversion!)(bar - base! + 1) + middle(bars, base!)(bar - base! + 1)) / 2,
    spanB: (bar) => middle(bars, spanB!)(bar - base! + 1),
  })]),
  ['vwap', [], (bars) => ({ value: (bar) => {
    const day = (i: number): string => new Date(bars.time[i]!).toISOString().slice(0, 10)
    let from = bar
    while (from > 0 && day(from - 1) === day(bar)) from--
    return weighted(bars, from, bar)
  } })],
  ['anchoredVwap', [37], (bars, anchor) => ({ value: (bar) => weighted(bars, anchor!, bar) })],
  ['cmf', [20], (bars, n) => ({ value: (bar) => total(span(flow(bars), bar, n!)) / total(span(of(bars.volume), bar, n!)) })],
  ['zScore', [20], (bars, n) => ({ value: (bar) => (bars.x[bar]! - sma(of(bars.x), n!)(bar)) / deviation(span(of(bars.x), bar, n!)) })],
  ...[9, 20, 300].map((n): [ColumnIndicator, number[], Reference] => ['rollingMedian', [n], (bars) => ({ value: (bar) => {
    const sorted = span(of(bars.x), bar, n).sort((a, b) => a - b)
    return (sorted[Math.floor((n - 1) / 2)]! + sorted[Math.ceil((n - 1) / 2)]!) / 2
  } })]),
  ...[20, 300].map((n): [ColumnIndicator, number[], Reference] => ['rollingRank', [n], (bars) => ({ value: (bar) => {
    const window = span(of(bars.x), bar, n)
    return mean([window.filter((value) => value < bars.x[bar]!).length + 1, window.filter((value) => value <= bars.x[bar]!).length])
  } })]),
  ['heikinAshi', [], (bars) => {
    const close: At = (bar) => (bars.open[bar]! + bars.high[bar]! + bars.low[bar]! + bars.close[bar]!) / 4
    const open = heikinAshiOpen(bars)
    return { open, high: (bar) => Math.max(bars.high[bar]!, open(bar), close(bar)), low: (bar) => Math.min(bars.low[bar]!, open(bar), close(bar)), close }
  }],
  ['chop', [14], (bars, n) => ({ value: (bar) => (100 * Math.log(total(span(range(bars), bar, n!)) / (highest(bars, bar, n!) - lowest(bars, bar, n!)))) / Math.log(n!) })],
  ['vortex', [14], (bars, n) => {
    const part = (move: At): At => (bar) => total(span(move, bar, n!)) / total(span(range(bars), bar, n!))
    return { plus: part((bar) => Math.abs(bars.high[bar]! - bars.low[bar - 1]!)), minus: part((bar) => Math.abs(bars.low[bar]! - bars.high[bar - 1]!)) }
  }],
  ['forceIndex', [13], (bars, n) => ({ value: ema((bar) => (bars.close[bar]! - bars.close[bar - 1]!) * bars.volume[bar]!, n!, 1) })],
  ['awesomeOscillator', [5, 34], (bars, fast, slow) => {
    const median: At = (bar) => (bars.high[bar]! + bars.low[bar]!) / 2
    return { value: (bar) => sma(median, fast!)(bar) - sma(median, slow!)(bar) }
  }],
  ['massIndex', [9, 25], (bars, period, n) => {
    const once = ema((bar) => bars.high[bar]! - bars.low[bar]!, period!)
    const twice = ema(once, period!, period! - 1)
    return { value: (bar) => total(span((i) => once(i) / twice(i), bar, n!)) }
  }],
  ['stochRsi', [14, 14, 3, 3], (bars, period, k, kSmooth, d) => {
    const line = rsi(of(bars.x), period!)
    const fast: At = (bar) => {
      const window = span(line, bar, k!)
      return (100 * (line(bar) - Math.min(...window))) / (Math.max(...window) - Math.min(...window))
    }
    const slow = sma(fast, kSmooth!)
    return { k: slow, d: sma(slow, d!) }
  }],
  ['kama', [300], (bars, n) => ({ value: (bar) => {
    let value = bars.x[n! - 1]!
    for (let i = n!; i <= bar; i++) {
      const path = total(span((j) => Math.abs(bars.x[j]! - bars.x[j - 1]!), i, n!))
      const share = (Math.abs(bars.x[i]! - bars.x[i - n!]!) / path) * (2 / 3 - 2 / 31) + 2 / 31
      value += share * share * (bars.x[i]! - value)
    }
    return value
  } })],
  ['rollingCorrelation', [300], (bars, n) => ({ value: (bar) => {
    const [a, b] = [span(of(bars.x), bar, n!), span(of(bars.y), bar, n!)]
    return mean(a.map((value, k) => (value - mean(a)) * (b[k]! - mean(b)))) / (deviation(a) * deviation(b))
  } })],
  ['linearRegression', [300], (bars, n) => ({ value: (bar) => {
    const window = span(of(bars.x), bar, n!)
    const center = (n! - 1) / 2
    const slope = total(window.map((value, k) => (k - center) * value)) / total(window.map((_, k) => (k - center) * (k - center)))
    return mean(window) + slope * center
  } })],
]
