/**
 * The `ta` object: every indicator under its public name, as plain functions over columns. Its type is what a
 * strategy receives as its third argument; a sweep hands over the same functions with memory (column-cache).
 * Rules for each member: outputs are new Float64Arrays (or Uint8Array masks) of the input's length, NaN before
 * the first value, deterministic, and bar i depends on bars 0..i alone.
 */
import { atr } from './atr.js'
import { bollinger } from './bollinger.js'
import { crossAbove, crossBelow } from './cross.js'
import { ema } from './ema.js'
import { macd } from './macd.js'
import { momentum } from './momentum.js'
import { roc } from './roc.js'
import { rollingMax } from './rolling-max.js'
import { rollingMin } from './rolling-min.js'
import { rsi } from './rsi.js'
import { sma } from './sma.js'
import { stddev } from './stddev.js'
import { trueRange } from './true-range.js'
import { wma } from './wma.js'

export const ta = {
  sma, ema, wma, rsi, stddev, rollingMax, rollingMin, roc, momentum, trueRange, atr, bollinger, macd, crossAbove, crossBelow,
}

export type Indicators = typeof ta
