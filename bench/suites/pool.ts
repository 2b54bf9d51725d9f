/** A round trip to a compute thread that does nothing: what a chunk of 50 ms pays on top. */
import { systemClock } from '../../src/base/clock.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
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
    return { suite: 'pool', limit: 'two messages between threads, about 20 µs each', figures: latencies('round trip', samples, { p50: 1, p99: 5 }) }
  } finally {
    await pool.close()
  }
}
