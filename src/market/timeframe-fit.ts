/** Whether bars are of the timeframe that somebody says they are: a file of hours must not become a series of minutes. */
import { SweepmillError } from '../base/errors.js'
import { DAY_MS, nameOfStep } from './timeframe.js'
import type { Timeframe } from './timeframe.js'

/** So many bars tell the step without doubt, gaps or not. */
const ENOUGH_BARS = 10

/** By the most common distance between two bars, so that gaps and a day of 23 hours do not matter. `add` times in their order, then `refuse`. */
export class StepCheck {
  readonly #timeframe: Timeframe
  readonly #isMonths: boolean
  readonly #counts = new Map<number, number>()
  #bars = 0
  #last = Number.NaN
  /** Distances that are one bar of the timeframe. */
  #fitting = 0

  constructor(timeframe: Timeframe) {
    this.#timeframe = timeframe
    this.#isMonths = timeframe.name.endsWith('M')
  }

  add(time: Float64Array): void {
    const { length } = time
    let from = 0
    if (this.#bars > 0 && length > 0) this.#count(time[0]! - this.#last, this.#last, 1)
    for (let i = 1; i < length; i = from) {
      const step = time[i]! - time[i - 1]!
      from = i + 1
      // Months are of several lengths: each distance is looked at.
      while (!this.#isMonths && from < length && step === time[from]! - time[from - 1]!) from += 1
      this.#count(step, time[i - 1]!, from - i)
    }
    this.#bars += length
    this.#last = time[length - 1] ?? this.#last
  }

  #count(step: number, after: number, times: number): void {
    const timeframe = this.#timeframe
    // A month may be dated by another day than the 1st.
    const fits = this.#isMonths ? timeframe.next(timeframe.startOf(after)) === timeframe.startOf(after + step) : step === timeframe.stepMs
    if (fits) this.#fitting += times
    if (this.#counts.size < 10_000 || this.#counts.has(step)) this.#counts.set(step, (this.#counts.get(step) ?? 0) + times)
  }

  /** Throws DATA_INVALID. */
  refuse(source: string): void {
    const { stepMs, name } = this.#timeframe
    const [step, most] = [...this.#counts].reduce<readonly [number, number]>((best, one) => (one[1] > best[1] || (one[1] === best[1] && one[0] < best[0]) ? one : best), [stepMs, 0])
    const tooShort = step < stepMs && most > this.#fitting
    const tooLong = step > stepMs && this.#fitting === 0 && (this.#bars >= ENOUGH_BARS || step % Math.min(stepMs, DAY_MS) !== 0)
    if (!tooShort && !tooLong) return
    const found = nameOfStep(step) ?? `${step} ms`
    throw new SweepmillError('DATA_INVALID', `${source} is not of the timeframe ${name}: most of its bars are ${found} apart. Import it with --timeframe ${found}, or name another file.`, {
      details: { file: source, timeframe: name, step_ms: step },
    })
  }
}
