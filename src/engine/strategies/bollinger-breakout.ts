/** Long when the close rises through the upper Bollinger band, out when it falls below the middle; shorts through the lower band. */
import { defineStrategy } from './strategy.js'

export const bollingerBreakout = defineStrategy({
  name: 'bollinger-breakout',
  params: { period: { min: 2, max: 500, step: 1, default: 20 }, width: { min: 0.25, max: 6, step: 0.25, default: 2 } },
  signals({ close }, { period, width }, ta) {
    const { upper, middle, lower } = ta.bollinger(close, period, width)
    return {
      longEntry: ta.crossAbove(close, upper), longExit: ta.crossBelow(close, middle),
      shortEntry: ta.crossBelow(close, lower), shortExit: ta.crossAbove(close, middle),
    }
  },
})
