/** Waiting in tests: for a state, with a deadline, never for a time. The deadline is far: it only ends what would never come. */
import { systemClock } from '../src/base/clock.js'

/** Polls until `look` gives something, or fails after `deadlineMs` saying what was waited for. */
export async function eventually<T>(what: string, look: () => Promise<T | null | undefined | false>, deadlineMs = 60_000): Promise<T> {
  const deadline = systemClock.monotonicMs() + deadlineMs
  for (;;) {
    const found = await look()
    if (found !== null && found !== undefined && found !== false) return found
    if (systemClock.monotonicMs() > deadline) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`)
    await systemClock.sleep(20)
  }
}
