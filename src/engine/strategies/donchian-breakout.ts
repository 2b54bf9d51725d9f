/**
 * Long when the close is above the highest high of the `entry` bars before, out when it is below the lowest low of the
 * `exit` bars before; shorts are the mirror image. The bar itself is no part of the channel: it could not break it.
 */
import { defineStrategy } from './strategy.js'

export const donchianBreakout = defineStrategy({
  name: 'donchian-breakout',
  params: { entry: { min: 2, max: 500, step: 1, default: 20 }, exit: { min: 2, max: 500, step: 1, default: 10 } },
  constraint: ({ entry, exit }) => exit <= entry,
  signals({ high, low, close, length }, { entry, exit }, ta) {
    const highest = { entry: ta.rollingMax(high, entry), exit: ta.rollingMax(high, exit) }
    const lowest = { entry: ta.rollingMin(low, entry), exit: ta.rollingMin(low, exit) }
    const [longEntry, longExit, shortEntry, shortExit] = [new Uint8Array(length), new Uint8Array(length), new Uint8Array(length), new Uint8Array(length)]
    // A channel that is not there yet is NaN, which nothing is above or below.
    for (let i = 1; i < length; i++) {
      const price = close[i]!
      if (price > highest.entry[i - 1]!) longEntry[i] = 1
      if (price < lowest.exit[i - 1]!) longExit[i] = 1
      if (price < lowest.entry[i - 1]!) shortEntry[i] = 1
      if (price > highest.exit[i - 1]!) shortExit[i] = 1
    }
    return { longEntry, longExit, shortEntry, shortExit }
  },
})
