/**
 * What is true of each indicator: its columns and arguments in order, the first bar with a value as a function of the
 * arguments, whether it has an unstable period, and its outputs. Tests hold the functions, their streams and
 * docs/indicators.md to this table; nothing computes with it.
 */
import type { ColumnIndicator } from './indicators.js'

export type InputName = 'open' | 'high' | 'low' | 'close' | 'volume' | 'time' | 'x' | 'y'

export interface ParameterFacts {
  readonly name: string
  readonly usual: number
  /** A whole number of bars, or any finite number. */
  readonly kind: 'whole' | 'factor'
  readonly least: number
}

export interface IndicatorFacts {
  readonly inputs: readonly InputName[]
  readonly parameters: readonly ParameterFacts[]
  /** The first bar (from 0) with a value when no input is NaN. All outputs begin there. */
  readonly firstBar: (...args: number[]) => number
  /** Unstable: a value depends, less and less, on every bar before it, so where the data begins matters at first. */
  readonly unstable: boolean
  /** The names of its columns; none when the result is a column itself. */
  readonly outputs: readonly string[]
}

const whole = (name: string, usual: number, least = 1): ParameterFacts => ({ name, usual, kind: 'whole', least })
const factor = (name: string, usual: number, least = -Infinity): ParameterFacts => ({ name, usual, kind: 'factor', least })

type Row = (inputs: string, parameters: readonly ParameterFacts[], firstBar: (...args: number[]) => number, outputs?: readonly string[]) => IndicatorFacts

const stable: Row = (inputs, parameters, firstBar, outputs = []) =>
  ({ inputs: inputs.split(' ') as InputName[], parameters, firstBar, unstable: false, outputs })
const unstable: Row = (inputs, parameters, firstBar, outputs = []) => ({ ...stable(inputs, parameters, firstBar, outputs), unstable: true })

export const INDICATOR_FACTS: Readonly<Record<ColumnIndicator, IndicatorFacts>> = {
  ad: stable('high low close volume', [], () => 0),
  adOscillator: unstable('high low close volume', [whole('fast', 3, 2), whole('slow', 10, 2)], (fast, slow) => Math.max(fast, slow) - 1),
  adx: unstable('high low close', [whole('n', 14, 2)], (n) => 2 * n - 1),
  adxr: unstable('high low close', [whole('n', 14, 2)], (n) => 3 * n - 2),
  anchoredVwap: stable('high low close volume', [whole('anchorBar', 0, 0)], (anchorBar) => anchorBar),
  apo: unstable('x', [whole('fast', 12, 2), whole('slow', 26, 2)], (fast, slow) => Math.max(fast, slow) - 1),
  aroon: stable('high low', [whole('n', 14, 2)], (n) => n, ['up', 'down']),
  aroonOscillator: stable('high low', [whole('n', 14, 2)], (n) => n),
  atr: unstable('high low close', [whole('n', 14)], (n) => n),
  averagePrice: stable('open high low close', [], () => 0),
  awesomeOscillator: stable('high low', [whole('fast', 5), whole('slow', 34)], (fast, slow) => Math.max(fast, slow) - 1),
  bollinger: stable('x', [whole('n', 20), factor('k', 2)], (n) => n - 1, ['upper', 'middle', 'lower']),
  bop: stable('open high low close', [], () => 0),
  cci: stable('high low close', [whole('n', 14)], (n) => n - 1),
  chop: stable('high low close', [whole('n', 14, 2)], (n) => n),
  cmf: stable('high low close volume', [whole('n', 20)], (n) => n - 1),
  cmo: unstable('x', [whole('n', 14, 2)], (n) => n),
  dema: unstable('x', [whole('n', 20)], (n) => 2 * (n - 1)),
  donchian: stable('high low', [whole('n', 20)], (n) => n - 1, ['upper', 'middle', 'lower']),
  dx: unstable('high low close', [whole('n', 14, 2)], (n) => n),
  ema: unstable('x', [whole('n', 20)], (n) => n - 1),
  forceIndex: unstable('close volume', [whole('n', 13)], (n) => n),
  heikinAshi: unstable('open high low close', [], () => 0, ['open', 'high', 'low', 'close']),
  hma: stable('x', [whole('n', 16, 2)], (n) => n + Math.floor(Math.sqrt(n)) - 2),
  ichimoku: stable('high low', [whole('conversion', 9), whole('base', 26), whole('spanB', 52)], (conversion, base, spanB) => base + Math.max(conversion, base, spanB) - 2, ['conversion', 'base', 'spanA', 'spanB']),
  kama: unstable('x', [whole('n', 10, 2)], (n) => n),
  keltner: unstable('high low close', [whole('n', 20), factor('multiplier', 2)], (n) => n, ['upper', 'middle', 'lower']),
  linearRegression: stable('x', [whole('n', 14, 2)], (n) => n - 1),
  linearRegressionAngle: stable('x', [whole('n', 14, 2)], (n) => n - 1),
  linearRegressionIntercept: stable('x', [whole('n', 14, 2)], (n) => n - 1),
  linearRegressionSlope: stable('x', [whole('n', 14, 2)], (n) => n - 1),
  macd: unstable('x', [whole('fast', 12, 2), whole('slow', 26, 2), whole('signal', 9)], (fast, slow, signal) => Math.max(fast, slow) + signal - 2, ['macd', 'signal', 'histogram']),
  massIndex: unstable('high low', [whole('emaPeriod', 9), whole('n', 25)], (emaPeriod, n) => 2 * (emaPeriod - 1) + n - 1),
  medianPrice: stable('high low', [], () => 0),
  mfi: stable('high low close volume', [whole('n', 14, 2)], (n) => n),
  midpoint: stable('x', [whole('n', 14, 2)], (n) => n - 1),
  midprice: stable('high low', [whole('n', 14, 2)], (n) => n - 1),
  minusDi: unstable('high low close', [whole('n', 14, 2)], (n) => n),
  momentum: stable('x', [whole('n', 10)], (n) => n),
  natr: unstable('high low close', [whole('n', 14)], (n) => n),
  obv: stable('close volume', [], () => 0),
  parabolicSar: unstable('high low', [factor('acceleration', 0.02, 0), factor('maximum', 0.2, 0)], () => 1),
  plusDi: unstable('high low close', [whole('n', 14, 2)], (n) => n),
  ppo: unstable('x', [whole('fast', 12, 2), whole('slow', 26, 2)], (fast, slow) => Math.max(fast, slow) - 1),
  rma: unstable('x', [whole('n', 14)], (n) => n - 1),
  roc: stable('x', [whole('n', 10)], (n) => n),
  rollingCorrelation: stable('x y', [whole('n', 30, 2)], (n) => n - 1),
  rollingMax: stable('x', [whole('n', 20)], (n) => n - 1),
  rollingMedian: stable('x', [whole('n', 20)], (n) => n - 1),
  rollingMin: stable('x', [whole('n', 20)], (n) => n - 1),
  rollingRank: stable('x', [whole('n', 20)], (n) => n - 1),
  rollingSum: stable('x', [whole('n', 20)], (n) => n - 1),
  rsi: unstable('x', [whole('n', 14, 2)], (n) => n),
  sma: stable('x', [whole('n', 20)], (n) => n - 1),
  stddev: stable('x', [whole('n', 20)], (n) => n - 1),
  stochRsi: unstable('x', [whole('rsiPeriod', 14, 2), whole('k', 14), whole('kSmooth', 3), whole('d', 3)], (rsiPeriod, k, kSmooth, d) => rsiPeriod + k + kSmooth + d - 3, ['k', 'd']),
  stochastic: stable('high low close', [whole('k', 14), whole('kSmooth', 3), whole('d', 3)], (k, kSmooth, d) => k + kSmooth + d - 3, ['k', 'd']),
  superTrend: unstable('high low close', [whole('n', 10), factor('multiplier', 3, 0)], (n) => n, ['trend', 'direction']),
  t3: unstable('x', [whole('n', 5, 2), factor('volumeFactor', 0.7)], (n) => 6 * (n - 1)),
  tema: unstable('x', [whole('n', 20)], (n) => 3 * (n - 1)),
  timeSeriesForecast: stable('x', [whole('n', 14, 2)], (n) => n - 1),
  trima: stable('x', [whole('n', 30, 2)], (n) => n - 1),
  trix: unstable('x', [whole('n', 15)], (n) => 3 * (n - 1) + 1),
  trueRange: stable('high low close', [], () => 1),
  typicalPrice: stable('high low close', [], () => 0),
  ultimateOscillator: stable('high low close', [whole('short', 7), whole('medium', 14), whole('long', 28)], (short, medium, long) => Math.max(short, medium, long)),
  variance: stable('x', [whole('n', 20)], (n) => n - 1),
  vortex: stable('high low close', [whole('n', 14)], (n) => n, ['plus', 'minus']),
  vwap: stable('high low close volume time', [], () => 0),
  vwma: stable('x volume', [whole('n', 20)], (n) => n - 1),
  weightedClose: stable('high low close', [], () => 0),
  williamsR: stable('high low close', [whole('n', 14)], (n) => n - 1),
  wma: stable('x', [whole('n', 20)], (n) => n - 1),
  zScore: stable('x', [whole('n', 20)], (n) => n - 1),
}
