/**
 * Long when the close rises through the upper SuperTrend band, out when it falls through the lower one. The bands are
 * the bar's middle ± `multiple` × ATR; while the close stays within them, the upper one only falls and the lower one
 * only rises. The first bar of the ATR begins as a downtrend.
 */
import { defineStrategy } from './strategy.js'

export const superTrend = defineStrategy({
  name: 'super-trend',
  params: { period: { min: 2, max: 200, step: 1, default: 10 }, multiple: { min: 0.5, max: 10, step: 0.5, default: 3 } },
  signals({ high, low, close, length }, { period, multiple }, ta) {
    const atr = ta.atr(high, low, close, period)
    const longEntry = new Uint8Array(length)
    const longExit = new Uint8Array(length)
    let upper = NaN
    let lower = NaN
    let isUp = false
    for (let i = 0; i < length; i++) {
      const reach = multiple * atr[i]!
      if (Number.isNaN(reach)) continue
      const middle = (high[i]! + low[i]!) / 2
      const before = i === 0 ? NaN : close[i - 1]!
      const [wideUpper, wideLower] = [middle + reach, middle - reach]
      // A band that the close before had left is drawn anew, and so is the first.
      upper = wideUpper < upper || !(before <= upper) ? wideUpper : upper
      lower = wideLower > lower || !(before >= lower) ? wideLower : lower
      const price = close[i]!
      if (!isUp && price > upper) {
        isUp = true
        longEntry[i] = 1
      } else if (isUp && price < lower) {
        isUp = false
        longExit[i] = 1
      }
    }
    return { longEntry, longExit }
  },
})
