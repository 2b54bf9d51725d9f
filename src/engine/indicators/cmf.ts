/**
 * Chaikin money flow: what the last n bars add to the accumulation/distribution line ÷ their volume, 0 where there
 * was none; first value at bar n - 1. NaN rule: a window that holds a NaN is NaN.
 */
import { moneyFlow } from './ad.js'
import { RollingSumStream } from './rolling-sum.js'
import { runColumn } from './stream.js'

export class CmfStream {
  private readonly flow: RollingSumStream
  private readonly volume: RollingSumStream

  constructor(n: number) {
    this.flow = new RollingSumStream(n, 'cmf')
    this.volume = new RollingSumStream(n, 'cmf')
  }

  next(high: number, low: number, close: number, volume: number): number {
    const flow = this.flow.next(moneyFlow(high, low, close, volume))
    const total = this.volume.next(volume)
    return total === 0 ? flow * 0 : flow / total
  }
}

export function cmf(high: Float64Array, low: Float64Array, close: Float64Array, volume: Float64Array, n: number): Float64Array {
  return runColumn('cmf', [high, low, close, volume], new CmfStream(n))
}
