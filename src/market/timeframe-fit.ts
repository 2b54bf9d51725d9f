/** Whether bars are of the timeframe that somebody says they are: a file of hours must not become a series of minutes. */
import { SweepmillError } from '../base/errors.js'
import { DAY_MS, nameOfStep } from './timeframe.js'
import type { Timeframe } from './timeframe.js'

/** So many bars tell the step without doubt, gaps or not. */
const ENOUGH_BARS = 10

/** By the most common distance between two bars, so that gaps and a day of 23 hours do not matter. Throws DATA_INVALID. */
export function refuseOtherStep(time: Float64Array, timeframe: Timeframe, source: string): void {
  const counts = new Map<number, number>()
  let fitting = 0
  const isMonths = timeframe.name.endsWith('M')
  for (let i = 1; i < time.length; i += 1) {
    const step = time[i]! - time[i - 1]!
    // Months are of several lengths, and may be dated by another day than the 1st.
    if (isMonths ? timeframe.next(timeframe.startOf(time[i - 1]!)) === timeframe.startOf(time[i]!) : step === timeframe.stepMs) fitting += 1
    if (counts.size < 10_000 || counts.has(step)) counts.set(step, (counts.get(step) ?? 0) + 1)
  }
  const [step, most] = [...counts].reduce<readonly [number, number]>((best, one) => (one[1] > best[1] || (one[1] === best[1] && one[0] < best[0]) ? one : best), [timeframe.stepMs, 0])
  const tooShort = step < timeframe.stepMs && most > fitting
  const tooLong = step > timeframe.stepMs && fitting === 0 && (time.length >= ENOUGH_BARS || step % Math.min(timeframe.stepMs, DAY_MS) !== 0)
  if (!tooShort && !tooLong) return
  const found = nameOfStep(step) ?? `${step} ms`
  throw new SweepmillError('DATA_INVALID', `${source} is not of the timeframe ${timeframe.name}: most of its bars are ${found} apart. Import it with --timeframe ${found}, or name another file.`, {
    details: { file: source, timeframe: timeframe.name, step_ms: step },
  })
}
