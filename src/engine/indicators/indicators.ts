/**
 * The `ta` object: every indicator under its public name, as plain functions over columns. Its type is what a
 * strategy receives as its third argument; a sweep hands over the same functions with memory (column-cache).
 * Rules for each member: outputs are new Float64Arrays (or Uint8Array masks) of the input's length, NaN before
 * the first value, deterministic, and bar i depends on bars 0..i alone. An infinite input counts as NaN. Outputs of
 * one function begin together. docs/indicators.md has them all; indicator-facts.ts says where each begins.
 */
import { ad } from './ad.js'
import { adOscillator } from './ad-oscillator.js'
import { adx } from './adx.js'
import { adxr } from './adxr.js'
import { apo } from './apo.js'
import { aroon } from './aroon.js'
import { aroonOscillator } from './aroon-oscillator.js'
import { atr } from './atr.js'
import { awesomeOscillator } from './awesome-oscillator.js'
import { averagePrice, bop, medianPrice, typicalPrice, weightedClose } from './bar-prices.js'
import { bollinger } from './bollinger.js'
import { cci } from './cci.js'
import { chop } from './chop.js'
import { cmf } from './cmf.js'
import { cmo } from './cmo.js'
import { crossAbove, crossBelow } from './cross.js'
import { dema } from './dema.js'
import { donchian } from './donchian.js'
import { dx } from './dx.js'
import { ema } from './ema.js'
import { forceIndex } from './force-index.js'
import { heikinAshi } from './heikin-ashi.js'
import { hma } from './hma.js'
import { ichimoku } from './ichimoku.js'
import { kama } from './kama.js'
import { keltner } from './keltner.js'
import { linearRegression, linearRegressionAngle, linearRegressionIntercept, linearRegressionSlope, timeSeriesForecast } from './linear-regression.js'
import { macd } from './macd.js'
import { massIndex } from './mass-index.js'
import { mfi } from './mfi.js'
import { midpoint, midprice } from './midprice.js'
import { minusDi } from './minus-di.js'
import { momentum } from './momentum.js'
import { natr } from './natr.js'
import { obv } from './obv.js'
import { parabolicSar } from './parabolic-sar.js'
import { plusDi } from './plus-di.js'
import { ppo } from './ppo.js'
import { rma } from './rma.js'
import { roc } from './roc.js'
import { rollingCorrelation } from './rolling-correlation.js'
import { rollingMax } from './rolling-max.js'
import { rollingMedian, rollingRank } from './rolling-median.js'
import { rollingMin } from './rolling-min.js'
import { rollingSum } from './rolling-sum.js'
import { rsi } from './rsi.js'
import { sma } from './sma.js'
import { stddev } from './stddev.js'
import { stochRsi } from './stoch-rsi.js'
import { stochastic } from './stochastic.js'
import { superTrend } from './super-trend.js'
import { t3 } from './t3.js'
import { tema } from './tema.js'
import { trima } from './trima.js'
import { trix } from './trix.js'
import { trueRange } from './true-range.js'
import { ultimateOscillator } from './ultimate-oscillator.js'
import { variance } from './variance.js'
import { vortex } from './vortex.js'
import { anchoredVwap, vwap } from './vwap.js'
import { vwma } from './vwma.js'
import { williamsR } from './williams-r.js'
import { wma } from './wma.js'
import { zScore } from './z-score.js'
import { SweepmillError } from '../../base/errors.js'

/** Each function as it is, but one argument too many is refused: `ta.sma(close, 10, 'wilder')` means something that would not happen. */
function exact<Functions extends Record<string, (...inputs: never[]) => unknown>>(functions: Functions): Functions {
  return Object.fromEntries(Object.entries(functions).map(([name, compute]) => [name, (...inputs: never[]) => {
    if (inputs.length <= compute.length) return compute(...inputs)
    throw new SweepmillError('PARAM_INVALID', `ta.${name} was given ${inputs.length} arguments, but takes ${compute.length}; leave the rest out.`, { details: { indicator: name } })
  }])) as unknown as Functions
}

export const ta = exact({
  sma, ema, wma, dema, tema, kama, rsi, momentum, roc, stddev, rollingMax, rollingMin,
  trueRange, atr, adx, plusDi, minusDi, cci, williamsR, mfi, obv, aroon, macd, bollinger, stochastic, parabolicSar,
  rma, hma, vwma, trima, t3, stochRsi, cmo, apo, ppo, trix, ultimateOscillator, awesomeOscillator, massIndex, bop,
  natr, keltner, donchian, superTrend, ichimoku, chop, vortex, dx, adxr, aroonOscillator, midpoint, midprice,
  vwap, anchoredVwap, ad, adOscillator, cmf, forceIndex,
  zScore, variance, rollingSum, rollingMedian, rollingRank, rollingCorrelation, linearRegression, linearRegressionSlope,
  linearRegressionIntercept, linearRegressionAngle, timeSeriesForecast,
  heikinAshi, typicalPrice, medianPrice, weightedClose, averagePrice,
  crossAbove, crossBelow,
})

export type Indicators = typeof ta

/** The indicators that give columns of numbers: all but the crosses, which give masks. */
export type ColumnIndicator = Exclude<keyof Indicators, 'crossAbove' | 'crossBelow'>
