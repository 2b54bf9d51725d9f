/** Long when the close rises through the upper Keltner band (EMA + `width` × ATR), out when it falls below the EMA; shorts are the mirror image. */
import { defineStrategy } from './strategy.js'

export const keltnerBreakout = defineStrategy({
  name: 'keltner-breakout',
  params: {
    period: { min: 2, max: 500, step: 1, default: 20 }, atr_period: { min: 2, max: 200, step: 1, default: 10 }, width: { min: 0.25, max: 10, step: 0.25, default: 2 },
  },
  signals({ high, low, close }, { period, atr_period: atrPeriod, width }, ta) {
    const middle = ta.ema(close, period)
    const atr = ta.atr(high, low, close, atrPeriod)
    const upper = middle.map((value, i) => value + width * atr[i]!)
    const lower = middle.map((value, i) => value - width * atr[i]!)
    return {
      longEntry: ta.crossAbove(close, upper), longExit: ta.crossBelow(close, middle),
      shortEntry: ta.crossBelow(close, lower), shortExit: ta.crossAbove(close, middle),
    }
  },
})
