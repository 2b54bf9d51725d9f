/**
 * Two symbols against each other: the logarithm of their ratio in deviations from its own mean of the last `period` bars.
 * Far below it buys the first and sells the second, far above it the other way round, and leaves both near the mean. Needs
 * direction `both`; each leg takes the size that the spec says, such as a fraction of a half.
 */
import { defineStrategy } from './strategy.js'

export const zScorePair = defineStrategy({
  name: 'z-score-pair',
  params: { period: { min: 5, max: 1000, step: 5, default: 60 }, entry: { min: 0.5, max: 5, step: 0.25, default: 2 }, exit: { min: 0, max: 3, step: 0.25, default: 0.5 } },
  constraint: ({ entry, exit }) => exit < entry,
  symbols: 2,
  signalsOfAll([first, second], { period, entry, exit }, ta) {
    const spread = first!.close.map((price, i) => Math.log(price / second!.close[i]!))
    const z = ta.zScore(spread, period)
    const mask = (says: (value: number) => boolean): Uint8Array => Uint8Array.from(z, (value) => (says(value) ? 1 : 0))
    const cheap = mask((value) => value < -entry), dear = mask((value) => value > entry)
    const backUp = mask((value) => value > -exit), backDown = mask((value) => value < exit)
    return [
      { longEntry: cheap, longExit: backUp, shortEntry: dear, shortExit: backDown },
      { longEntry: dear, longExit: backDown, shortEntry: cheap, shortExit: backUp },
    ]
  },
})
