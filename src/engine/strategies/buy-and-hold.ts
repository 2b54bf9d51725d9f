/** Decides to enter on the first bar and never to leave: the yardstick of every other strategy. */
import { defineStrategy } from './strategy.js'

export const buyAndHold = defineStrategy({
  name: 'buy-and-hold',
  params: {},
  signals({ close }) {
    const longEntry = new Uint8Array(close.length)
    longEntry[0] = 1
    return { longEntry }
  },
})
