import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.js'
import type { Clock } from '../../../src/base/clock.js'
import { EventLoopMonitor } from '../../../src/telemetry/event-loop.js'

/** Real time, but the test decides when half a window has passed. */
function clockWithTurns(): { clock: Clock; turn: () => void } {
  let run: () => void = () => undefined
  return { clock: { ...systemClock, every: (_ms, given) => { run = given; return () => { run = () => undefined } } }, turn: () => run() }
}

/** Holds the thread for `ms`, as a main thread that computes would. */
function block(ms: number): void {
  const until = systemClock.monotonicMs() + ms
  while (systemClock.monotonicMs() < until);
}

async function untilMax(monitor: EventLoopMonitor, atLeastMs: number): Promise<number> {
  const deadline = systemClock.monotonicMs() + 10_000
  while (monitor.delayMs().max < atLeastMs && systemClock.monotonicMs() < deadline) await systemClock.sleep(5)
  return monitor.delayMs().max
}

let monitor: EventLoopMonitor | undefined
afterEach(() => monitor?.stop())

test('a blocked event loop shows in max, and is forgotten after two half windows', async () => {
  const { clock, turn } = clockWithTurns()
  monitor = new EventLoopMonitor(clock)
  await systemClock.sleep(30)
  // Longer than a busy machine holds anybody up.
  block(1500)
  expect(await untilMax(monitor, 1000)).toBeGreaterThan(1000)
  turn()
  expect(monitor.delayMs().max).toBeGreaterThan(1000)
  turn()
  expect(monitor.delayMs().max).toBeLessThan(1000)
  const { p50, p99, max } = monitor.delayMs()
  expect(p50).toBeLessThanOrEqual(p99)
  expect(p99).toBeLessThanOrEqual(max + 0.01)
})
