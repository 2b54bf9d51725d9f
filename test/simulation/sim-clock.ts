/** Time that stands still until a schedule moves it. Sleeps end at once: nothing in a simulated worker waits. */
import type { Clock } from '../../src/base/clock.js'

export class SimClock implements Clock {
  nowMs = 0

  monotonicMs(): number { return this.nowMs }
  /** Ids are ordered by real time; no rule under test reads it. */
  wallMs(): number { return Date.now() }
  sleep(): Promise<void> { return Promise.resolve() }
  every(): () => void { return () => undefined }
  after(): () => void { return () => undefined }
}
