/** Aroon up minus Aroon down (TA-Lib's AROONOSC); first value at bar n. NaN rule of aroon.ts. */
import { AroonStream } from './aroon.js'
import { runColumn } from './stream.js'

export class AroonOscillatorStream {
  private readonly aroon: AroonStream

  constructor(n: number) {
    this.aroon = new AroonStream(n, 'aroonOscillator')
  }

  next(high: number, low: number): number {
    const { up, down } = this.aroon.next(high, low)
    return up - down
  }
}

export function aroonOscillator(high: Float64Array, low: Float64Array, n: number): Float64Array {
  return runColumn('aroonOscillator', [high, low], new AroonOscillatorStream(n))
}
