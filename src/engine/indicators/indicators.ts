/**
 * The `ta` object: every indicator under its public name, as plain functions over columns. Its type is what a
 * strategy receives as its third argument; a sweep hands over the same functions with memory (column-cache).
 * Rules for each member: outputs are new Float64Arrays (or Uint8Array masks) of the input's length, NaN before
 * the first value, deterministic, and bar i depends on bars 0..i alone.
 */
import { adx } from './adx.js'
import { aroon } from './aroon.js'
import { atr } from './atr.js'
import { bollinger } from './bollinger.js'
import { cci } from './cci.js'
import { crossAbove, crossBelow } from './cross.js'
import { dema } from './dema.js'
import { ema } from './ema.js'
import { kama } from './kama.js'
import { macd } from './macd.js'
import { mfi } from './mfi.js'
import { minusDi } from './minus-di.js'
import { momentum } from './momentum.js'
import { obv } from './obv.js'
import { parabolicSar } from './parabolic-sar.js'
import { plusDi } from './plus-di.js'
import { roc } from './roc.js'
import { rollingMax } from './rolling-max.js'
import { rollingMin } from './rolling-min.js'
import { rsi } from './rsi.js'
import { sma } from './sma.js'
import { stddev } from './stddev.js'
import { stochastic } from './stochastic.js'
import { tema } from './tema.js'
import { trueRange } from './true-range.js'
import { williamsR } from './williams-r.js'
import { wma } from './wma.js'

export const ta = {
  sma, ema, wma, dema, tema, kama, rsi, momentum, roc, stddev, rollingMax, rollingMin,
  trueRange, atr, adx, plusDi, minusDi, cci, williamsR, mfi, obv, aroon, macd, bollinger, stochastic, parabolicSar,
  crossAbove, crossBelow,
}

export type Indicators = typeof ta
