/**
 * T3 (Tillson's; TA-Lib's T3): a blend of the third to sixth of six EMAs, each of the one before, with the weights of
 * (1 + v) e - v e² applied three times, v the volume factor (0.7 is usual); first value at bar 6 (n - 1).
 * NaN rule: that of ema.ts, for each of the six.
 */
import { EmaStream } from './ema.js'
import { checkFactor, checkPeriod } from './period.js'
import { runColumn } from './stream.js'

export class T3Stream {
  private readonly chain: readonly [EmaStream, EmaStream, EmaStream, EmaStream, EmaStream, EmaStream]
  private readonly weight3: number
  private readonly weight4: number
  private readonly weight5: number
  private readonly weight6: number

  constructor(n: number, volumeFactor: number) {
    checkPeriod('t3', 'n', n, 2)
    checkFactor('t3', 'volumeFactor', volumeFactor)
    this.chain = [new EmaStream(n), new EmaStream(n), new EmaStream(n), new EmaStream(n), new EmaStream(n), new EmaStream(n)]
    const v = volumeFactor
    this.weight6 = -v * v * v
    this.weight5 = 3 * (v * v + v * v * v)
    this.weight4 = -6 * v * v - 3 * (v + v * v * v)
    this.weight3 = 1 + 3 * v + v * v * v + 3 * v * v
  }

  next(x: number): number {
    const { chain } = this
    const third = chain[2].next(chain[1].next(chain[0].next(x)))
    const fourth = chain[3].next(third)
    const fifth = chain[4].next(fourth)
    return this.weight6 * chain[5].next(fifth) + this.weight5 * fifth + this.weight4 * fourth + this.weight3 * third
  }
}

export function t3(x: Float64Array, n: number, volumeFactor: number): Float64Array {
  return runColumn('t3', [x], new T3Stream(n, volumeFactor))
}
