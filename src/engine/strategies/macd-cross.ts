/** Long when the MACD crosses above its signal line, out when it crosses below. */
import { defineStrategy } from './strategy.js'

export const macdCross = defineStrategy({
  name: 'macd-cross',
  params: {
    fast: { min: 2, max: 200, step: 1, default: 12 }, slow: { min: 3, max: 500, step: 1, default: 26 }, signal: { min: 2, max: 200, step: 1, default: 9 },
  },
  constraint: ({ fast, slow }) => fast < slow,
  signals({ close }, { fast, slow, signal }, ta) {
    const lines = ta.macd(close, fast, slow, signal)
    return { longEntry: ta.crossAbove(lines.macd, lines.signal), longExit: ta.crossBelow(lines.macd, lines.signal) }
  },
})
