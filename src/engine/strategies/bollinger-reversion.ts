/** Long when the close falls through the lower Bollinger band, out when it is back above the middle; shorts from the upper band. */
import { defineStrategy } from './strategy.js'

export const bollingerReversion = defineStrategy({
  name: 'bollinger-reversion',
  params: { period: { min: 2, max: 500, step: 1, default: 20 }, width: { min: 0.25, max: 6, step: 0.25, default: 2 } },
  signals({ close }, { period, width }, ta) {
    const { upper, middle, lower } = ta.bollinger(close, period, width)
    return {
      longEntry: ta.crossBelow(close, lower), longExit: ta.crossAbove(close, middle),
      shortEntry: ta.crossAbove(close, upper), shortExit: ta.crossBelow(close, middle),
    }
  },
})
