/**
 * A process of a fault test: a worker or a producer that ends itself with SIGKILL when a task passes a waypoint.
 * Argument: JSON of `ChildOrder`. Servers and prefix come from the environment, as for any worker.
 */
import { systemClock } from '../../src/base/clock.js'
import { toSweepmillError } from '../../src/base/errors.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import { loadConfig, environment } from '../../src/runtime/config.js'
import { createRuntime } from '../../src/runtime/create-runtime.js'
import { silentObserver } from '../../src/tasks/observer.js'
import { TaskType } from '../../src/tasks/task.js'
import type { TaskPriority } from '../../src/tasks/task.js'
import type { Waypoint } from '../../src/tasks/waypoint.js'
import { failingWorkflow, noopWorkflow, spinWorkflow, unsavable } from './workflows.js'

export interface ChildOrder {
  readonly role: 'worker' | 'producer'
  /** Ends the process the `nth` time (from 1) that a task passes `point`. */
  readonly kill?: { readonly point: Waypoint; readonly nth: number }
  /** Tells of every passing of this waypoint. */
  readonly trace?: Waypoint
  /** Every save_results fails for good, so that every saga goes back. */
  readonly failSaves?: boolean
  /** A producer: how many tasks, taking turns among these kinds, and the pause after each. */
  readonly produce?: { readonly tasks: number; readonly works: readonly Work[]; readonly pauseMs: number }
}

export interface Work {
  readonly taskType: string
  readonly data: Readonly<Record<string, unknown>>
}

const order = JSON.parse(process.argv[2] ?? '{}') as ChildOrder
let passed = 0
const config = loadConfig(environment())
const pool = createComputePool({ threads: config.workerThreads, clock: systemClock })
const runtime = await createRuntime<null>({
  config, redisUrl: config.redisUrl ?? '', databaseUrl: config.databaseUrl ?? '', role: order.role === 'worker' ? 'worker' : 'client', pool,
  health: () => null, retry: { baseMs: 50, capMs: 400 }, workflows: [noopWorkflow, spinWorkflow, failingWorkflow, ...(order.failSaves === true ? unsavable : [])],
  observers: {
    queue: { ...silentObserver, fencedWrite: (write) => { say({ kind: 'fenced', write }) } },
    saga: { started: () => undefined, stepExecuted: () => undefined, completed: () => undefined, compensated: () => undefined, failed: () => undefined, compensationFailed: () => undefined },
    barsProcessed: () => undefined,
  },
  waypoint: (point) => {
    if (order.trace === point) say({ kind: 'passed', point })
    if (order.kill?.point !== point) return
    passed += 1
    if (passed === order.kill.nth) process.kill(process.pid, 'SIGKILL')
  },
}).catch(giveUp)
await runtime.start().catch(giveUp)
say({ kind: 'ready' })

process.once('SIGTERM', () => {
  void runtime.close().then(() => pool.close()).then(() => process.exit(0))
})

if (order.produce !== undefined) {
  const { tasks, works, pauseMs } = order.produce
  for (let n = 0; n < tasks; n += 1) {
    const work = works[n % works.length] as Work
    try {
      say({ kind: 'accepted', taskId: await accept(work, (['high', 'medium', 'low'] as const)[n % 3]) })
    } catch (error) {
      // Not accepted as far as this producer knows; it goes on with the next.
      say({ kind: 'refused', code: toSweepmillError(error).code })
      await systemClock.sleep(50)
    }
    if (pauseMs > 0) await systemClock.sleep(pauseMs)
  }
  await runtime.close()
  await pool.close()
}

async function accept({ taskType, data }: Work, priority: TaskPriority | undefined): Promise<string> {
  if (taskType !== TaskType.BACKTEST && taskType !== TaskType.OPTIMIZATION) return runtime.queue.enqueueTask({ taskType, data, priority })
  return (await runtime.backend.submit({ taskType, data, priority, roots: null, fresh: true })).taskId
}

/** A server that is away at the start ends the process, as it would a daemon's; whoever runs it starts it again. */
function giveUp(error: unknown): never {
  if (toSweepmillError(error).retryable) process.exit(1)
  throw error
}

/** A line that the parent reads; what was said before a SIGKILL arrives. */
function say(message: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
