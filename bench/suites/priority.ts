/**
 * HIGH backtests in the middle of a saturated LOW sweep: how soon they start, what the sweep loses, and how late the
 * main thread's event loop is meanwhile.
 *
 * *Starts* is the first instruction in the thread: when the reply arrived, less the time the thread took; the way back
 * is counted in, so the figure is an upper bound. It is counted from before the row is written.
 */
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.js'
import { packageRoot } from '../../src/base/package-root.js'
import { seededRandom } from '../../src/base/random.js'
import type { ComputePool } from '../../src/tasks/compute-pool.js'
import { TaskType } from '../../src/tasks/task.js'
import { EventLoopMonitor } from '../../src/telemetry/event-loop.js'
import { latencies, quantile } from '../figure.js'
import type { Suite } from '../figure.js'
import { openWorkplace } from '../workplace.js'

const THREADS = 2
const FILE = join(packageRoot, 'samples', 'sp500-daily.csv')
const SWEEP = {
  taskType: TaskType.OPTIMIZATION, roots: null, fresh: true,
  data: { file: FILE, strategy: { name: 'sma-cross' }, space: { fast: { min: 2, max: 200, step: 1 }, slow: { min: 3, max: 500, step: 1 } }, constraint: 'fast < slow', top: 3 },
} as const
const BACKTEST = { taskType: TaskType.BACKTEST, roots: null, data: { file: FILE, strategy: { name: 'sma-cross', params: { fast: 10, slow: 20 } } } } as const

export const prioritySuite: Suite = async ({ smoke, stateDir }) => {
  const startedAtMs = new Map<string, number>()
  const done = { trials: 0 }
  /** The real pool, watched. */
  const watch = (pool: ComputePool): ComputePool => ({
    threads: pool.threads, stats: () => pool.stats(), close: () => pool.close(), recall: (dataHash) => pool.recall(dataHash),
    run: async (request) => {
      const reply = await pool.run(request)
      if (request.step === 'backtest' && request.taskId !== undefined) startedAtMs.set(request.taskId, performance.now() - reply.threadMs)
      if (request.step === 'run_trials') for (const count of (JSON.parse(reply.json) as { trials: number[] }).trials) done.trials += count
      return reply
    },
  })
  const place = await openWorkplace(stateDir, 'worker', THREADS, watch)
  const monitor = new EventLoopMonitor(systemClock)
  const enough = new AbortController()
  try {
    const { runtime } = place
    // The sweep never ends: the next one waits before the last has finished.
    const sweeps = await runtime.prepare(SWEEP)
    const saturating = Promise.all([1, 2].map(async () => {
      while (!enough.signal.aborted) await runtime.backend.wait((await runtime.accept(sweeps)).taskId)
    }))
    const backtests = await runtime.prepare(BACKTEST)
    const backtest = async (): Promise<number> => {
      const fromMs = performance.now()
      const { taskId } = await runtime.accept(backtests)
      await runtime.backend.wait(taskId)
      return (startedAtMs.get(taskId) ?? Number.NaN) - fromMs
    }
    const random = seededRandom(1)
    while (done.trials === 0) await systemClock.sleep(20)

    const starts: number[] = []
    for (let i = 0; i < (smoke ? 5 : 200); i += 1) {
      await systemClock.sleep(50 + random.int(100))
      starts.push(await backtest())
    }

    // A and B in turns, in one run: the machine's speed drifts.
    const windowMs = smoke ? 300 : 4000
    const rate = async (perSecond: boolean): Promise<number> => {
      const before = { trials: done.trials, ms: performance.now() }
      const untilMs = before.ms + windowMs
      while (performance.now() < untilMs) {
        if (perSecond) await backtest()
        await systemClock.sleep(Math.min(1000, Math.max(1, untilMs - performance.now())))
      }
      return (done.trials - before.trials) / (performance.now() - before.ms)
    }
    const losses: number[] = []
    for (let i = 0; i < (smoke ? 1 : 5); i += 1) losses.push(1 - (await rate(true)) / (await rate(false)))
    const delay = monitor.delayMs()
    enough.abort()
    await saturating
    return {
      suite: 'priority', limit: 'one chunk of about 50 ms on the thread that is freed next, a commit and a pick',
      figures: [
        ...latencies(`HIGH backtest starts beside a LOW sweep on ${THREADS} threads,`, starts, { p50: 50, p99: 200 }),
        { name: 'the sweep loses at one HIGH a second (median)', value: quantile(losses, 0.5) * 100, unit: '%', target: { kind: 'max', value: 5 } },
        { name: 'event-loop delay of the main thread, p99', value: delay.p99, unit: 'ms', target: { kind: 'max', value: 20 } },
      ],
    }
  } finally {
    enough.abort()
    monitor.stop()
    await place.close()
  }
}
