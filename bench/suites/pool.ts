/** A round trip to a compute thread that does nothing: what a chunk of 50 ms pays on top; and how long running code goes on after a cancel. */
import { systemClock } from '../../src/base/clock.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import type { ComputePool } from '../../src/tasks/compute-pool.js'
import { latencies } from '../figure.js'
import type { Suite } from '../figure.js'

export const poolSuite: Suite = async ({ smoke }) => {
  const pool = createComputePool({ threads: 1, clock: systemClock })
  try {
    const echo = (): Promise<unknown> => pool.run({ step: 'echo', input: {}, priority: 'high', divisible: true, userCode: false })
    for (let i = 0; i < 100; i += 1) await echo()
    const samples: number[] = []
    for (let i = 0; i < (smoke ? 200 : 5000); i += 1) {
      const fromMs = performance.now()
      await echo()
      samples.push(performance.now() - fromMs)
    }
    const stops: number[] = []
    for (let i = 0; i < (smoke ? 3 : 50); i += 1) stops.push(await cancelled(pool))
    return {
      suite: 'pool', limit: 'two messages between threads, about 20 µs each',
      figures: [...latencies('round trip', samples, { p50: 1, p99: 5 }), ...latencies('cancel of running code', stops, { p50: 50, p99: 100 })],
    }
  } finally {
    await pool.close()
  }
}

/** Milliseconds from a cancel to the end of a step that was running. */
async function cancelled(pool: ComputePool): Promise<number> {
  const abort = new AbortController()
  await new Promise<void>((started) => {
    void pool.run({
      step: 'probe', input: { spin_ms: 60_000 }, priority: 'high', divisible: true, userCode: false, signal: abort.signal, onProgress: () => { started() },
    }).catch(() => undefined)
  })
  const fromMs = performance.now()
  const ended = pool.run({ step: 'echo', input: {}, priority: 'high', divisible: true, userCode: false })
  abort.abort()
  await ended
  return performance.now() - fromMs
}
