/** Long when SuperTrend turns up, out when it turns down. Its first trend is long and no turn, so the first entry follows a fall. */
import { defineStrategy } from './strategy.js'

export const superTrend = defineStrategy({
  name: 'super-trend',
  params: { period: { min: 2, max: 200, step: 1, default: 10 }, multiple: { min: 0.5, max: 10, step: 0.5, default: 3 } },
  signals({ high, low, close }, { period, multiple }, ta) {
    const { direction } = ta.superTrend(high, low, close, period, multiple)
    return { longEntry: ta.crossAbove(direction, 0), longExit: ta.crossBelow(direction, 0) }
  },
})
