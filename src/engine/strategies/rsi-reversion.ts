/** Long when the RSI falls below `low`, out when it rises above `high`. */
import { defineStrategy } from './strategy.js'

export const rsiReversion = defineStrategy({
  name: 'rsi-reversion',
  params: {
    period: { min: 2, max: 200, step: 1, default: 14 }, low: { min: 1, max: 60, step: 1, default: 30 }, high: { min: 40, max: 99, step: 1, default: 70 },
  },
  constraint: ({ low, high }) => low < high,
  signals({ close }, { period, low, high }, ta) {
    const rsi = ta.rsi(close, period)
    return { longEntry: ta.crossBelow(rsi, low), longExit: ta.crossAbove(rsi, high) }
  },
})
