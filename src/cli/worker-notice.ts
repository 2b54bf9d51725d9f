/** Who only queues a task learns that nobody is there to take it; the task waits all the same. */
import type { FleetView } from '../tasks/backend.js'
import type { Invocation } from './context.js'

/** Null where the services do not say: what is queued is queued. */
export async function isWorkerRunning(invocation: Invocation, backend: FleetView<unknown>): Promise<boolean | null> {
  const silenceMs = 2 * invocation.config().leaseMs
  const stats = await backend.queueStats().catch(() => null)
  return stats === null ? null : stats.workers.some((one) => one.role === 'worker' && one.silent_ms < silenceMs)
}

export async function noteMissingWorker(invocation: Invocation, backend: FleetView<unknown>): Promise<boolean | null> {
  const running = await isWorkerRunning(invocation, backend)
  if (running === false) invocation.output.note('No worker is running: what is queued waits until one is started with "sweepmill worker".')
  return running
}
