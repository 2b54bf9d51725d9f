/**
 * What a strategy asked `ta` for, as lines to draw. A strategy's signals follow from its bars and parameters alone,
 * so they are made once more for the report, with a `ta` that notes each call: no run has to store columns.
 * A column is thinned at once and let go. A strategy that cannot be called this way costs its lines, never the report.
 */
import type { BarColumns } from '../../market/layout.js'
import { ta } from '../indicators/indicators.js'
import type { Indicators } from '../indicators/indicators.js'
import { higherOf } from '../strategies/higher-timeframe.js'
import type { Params, Strategy } from '../strategies/strategy.js'
import { lineOn } from './chart-grid.js'
import type { ChartGrid, ChartLine } from './chart-grid.js'

/** More lines than this are a tangle; the page names the others. */
export const MAX_LINES = 8

export interface IndicatorLine {
  /** `sma(close, 10)`, or `bollinger(close, 20, 2) upper`. */
  readonly label: string
  /** Null: over the price. Otherwise lines of one panel share this name. */
  readonly panel: string | null
  readonly line: ChartLine
}

export interface IndicatorRecord {
  readonly lines: readonly IndicatorLine[]
  /** Labels of what was asked for and is not drawn. */
  readonly left: readonly string[]
  /** Why there are no lines, where that is not the strategy's own choice. */
  readonly note: string | null
}

/** Functions whose output has the scale of their input: over prices they are drawn over the price. */
const SCALE_OF_INPUT = new Set(['sma', 'ema', 'wma', 'dema', 'tema', 'kama', 'hma', 'rma', 'smma', 'trima', 't3', 'zlema', 'vwma', 'rollingMax', 'rollingMin', 'rollingMedian', 'bollinger', 'linearRegression', 'linreg', 'midpoint'])
const PANEL = new Set(['rsi', 'momentum', 'roc', 'stddev', 'trueRange', 'atr', 'natr', 'adx', 'plusDi', 'minusDi', 'cci', 'williamsR', 'mfi', 'obv', 'aroon', 'macd', 'stochastic', 'ppo', 'ultimateOscillator', 'stochasticRsi', 'rollingZScore', 'zScore'])
const PRICES = ['open', 'high', 'low', 'close', 'adjclose'] as const

interface Known {
  readonly label: string
  readonly scale: 'price' | 'panel' | 'unknown'
}

export function recordIndicators(strategy: Strategy, bars: BarColumns, params: Params, grid: ChartGrid, from = 0): IndicatorRecord {
  const known = new WeakMap<Float64Array, Known>()
  for (const name of PRICES) {
    const column = bars[name]
    if (column !== undefined) known.set(column, { label: name, scale: 'price' })
  }
  known.set(bars.volume, { label: 'volume', scale: 'panel' })
  known.set(bars.time, { label: 'time', scale: 'panel' })
  const lines = new Map<string, IndicatorLine>()
  const left = new Set<string>()

  const note = (label: string, name: string, args: readonly unknown[], column: Float64Array): void => {
    const scale = scaleOf(name, args, column, known, bars)
    known.set(column, { label, scale })
    if (lines.has(label) || column.length !== bars.length) return
    if (lines.size >= MAX_LINES) left.add(label)
    else lines.set(label, { label, panel: scale === 'price' ? null : name, line: lineOn(grid, column.subarray(from, from + grid.bars)) })
  }
  const recording: Record<string, unknown> = { ...ta }
  for (const [name, compute] of Object.entries(ta) as [string, (...args: unknown[]) => unknown][]) {
    recording[name] = (...args: unknown[]): unknown => {
      const made = compute(...args)
      const label = `${name}(${args.map((arg) => argumentText(arg, known)).join(', ')})`
      if (made instanceof Float64Array) note(label, name, args, made)
      else if (typeof made === 'object' && made !== null && !ArrayBuffer.isView(made)) {
        for (const [part, column] of Object.entries(made)) if (column instanceof Float64Array) note(`${label} ${part}`, name, args, column)
      }
      return made
    }
  }
  try {
    const higher = higherOf(bars)
    strategy.signals?.(bars, params, recording as Indicators, higher)
    strategy.indicators?.(bars, params, recording as Indicators, higher)
  } catch (thrown) {
    return { lines: [...lines.values()], left: [...left], note: `The indicators could not be recorded: ${thrown instanceof Error ? thrown.message : String(thrown)}` }
  }
  return { lines: [...lines.values()], left: [...left], note: null }
}

function argumentText(arg: unknown, known: WeakMap<Float64Array, Known>): string {
  if (arg instanceof Float64Array) return known.get(arg)?.label ?? 'column'
  if (typeof arg === 'number') return String(arg)
  if (typeof arg === 'string' || typeof arg === 'boolean') return String(arg)
  if (typeof arg === 'object' && arg !== null && !ArrayBuffer.isView(arg) && !Array.isArray(arg)) {
    return Object.entries(arg).map(([key, value]) => `${key} ${argumentText(value, known)}`).join(', ')
  }
  return 'column'
}

function scaleOf(name: string, args: readonly unknown[], column: Float64Array, known: WeakMap<Float64Array, Known>, bars: BarColumns): 'price' | 'panel' {
  if (PANEL.has(name)) return 'panel'
  if (SCALE_OF_INPUT.has(name)) {
    const scales = args.flatMap((arg) => (arg instanceof Float64Array ? [known.get(arg)?.scale ?? 'unknown'] : []))
    if (scales[0] !== undefined && scales[0] !== 'unknown') return scales[0]
  }
  return followsPrice(column, bars) ? 'price' : 'panel'
}

/** For what no list knows: nearly every value lies within half and twice the bar's own prices. */
function followsPrice(column: Float64Array, { low, high }: BarColumns): boolean {
  let defined = 0
  let near = 0
  for (let i = 0; i < column.length; i += 1) {
    const value = column[i]!
    if (Number.isNaN(value)) continue
    defined += 1
    if (value >= low[i]! / 2 && value <= high[i]! * 2) near += 1
  }
  return defined > 0 && near >= 0.99 * defined
}
