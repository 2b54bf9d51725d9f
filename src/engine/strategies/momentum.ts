/** Long when the change over `period` bars rises above `threshold` percent, out when it falls below it. */
import { defineStrategy } from './strategy.js'

export const momentum = defineStrategy({
  name: 'momentum',
  params: { period: { min: 1, max: 1000, step: 1, default: 90 }, threshold: { min: -50, max: 100, step: 1, default: 0 } },
  signals({ close }, { period, threshold }, ta) {
    const change = ta.roc(close, period)
    return { longEntry: ta.crossAbove(change, threshold), longExit: ta.crossBelow(change, threshold) }
  },
})
