/** Long when the fast simple average crosses above the slow one, out when it crosses below. */
import { defineStrategy } from './strategy.js'

export const smaCross = defineStrategy({
  name: 'sma-cross',
  params: { fast: { min: 2, max: 200, step: 1, default: 10 }, slow: { min: 3, max: 1000, step: 1, default: 20 } },
  constraint: ({ fast, slow }) => fast < slow,
  signals({ close }, { fast, slow }, ta) {
    const f = ta.sma(close, fast)
    const s = ta.sma(close, slow)
    return { longEntry: ta.crossAbove(f, s), longExit: ta.crossBelow(f, s) }
  },
})
