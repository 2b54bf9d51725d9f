/** A fixed random walk of bars, the same on every machine: prices are whole hundredths from a generator of whole numbers. */
import type { Inputs } from '../../property/engine-indicators.js'
import { inputsOf } from '../../property/engine-indicators.js'

export function walk(length: number): Inputs {
  let seed = 20240101
  const draw = (below: number): number => {
    seed = (seed * 16807) % 2147483647
    return seed % below
  }
  let price = 5000
  const rows = Array.from({ length }, () => {
    const open = price + draw(61) - 30
    const close = open + draw(241) - 120
    price = close
    const high = (Math.max(open, close) + draw(90)) / 100
    const low = (Math.min(open, close) - draw(90)) / 100
    return { open: open / 100, high, low, close: close / 100, volume: 1000 + draw(9000), y: open / 100 }
  })
  return inputsOf(rows)
}
