/**
 * The way of one task through a command: check, connect, submit, wait. What a backtest, a sweep and the
 * demo have in common; each prints its own result.
 */
import type { Backend, SubmitRequest, TaskView } from '../tasks/backend.js'
import type { TaskStatus } from '../tasks/task.js'
import type { HealthReport } from '../telemetry/health.js'
import type { Invocation } from './context.js'
import { failureOfTask, Interrupted } from './failure.js'
import { interruptible } from './interrupt.js'
import { ProgressDisplay } from './progress.js'

/** What steps count. */
const UNITS: Readonly<Record<string, string>> = { run_backtest: 'bars', run_sweep: 'trials', run_optimization: 'trials' }

export interface ThreadUse {
  /** Mean share of threads that were busy while progress was reported, 0..1; null where nobody could see. */
  readonly busyShare: number | null
}

/** Resolves with the completed task; any other end, and a signal, is thrown. */
export async function awaitTask(invocation: Invocation, backend: Backend<HealthReport>, taskId: string): Promise<TaskView & ThreadUse> {
  const { output, context } = invocation
  const display = new ProgressDisplay(output.stderr, context.clock, UNITS)
  let status: TaskStatus = 'pending'
  let busy = 0
  let seen = 0
  try {
    const task = await interruptible(
      (signal) => backend.wait(taskId, (view) => {
        status = view.status
        if (view.threads !== null && view.threads.total > 0) {
          busy += view.threads.busy / view.threads.total
          seen += 1
        }
        display.update(view)
      }, signal),
      () => {
        display.stop()
        output.note(`Interrupted. The task ${taskId} is kept: the same command goes on with it, "sweepmill tasks cancel ${taskId}" ends it. Once more to leave at once.`)
      },
    )
    if (task.status !== 'completed') throw failureOfTask(task)
    return { ...task, busyShare: seen === 0 ? null : busy / seen }
  } catch (error) {
    if (error instanceof Interrupted) output.document({ task_id: taskId, status, interrupted: true })
    throw error
  } finally {
    display.stop()
  }
}

/** Submits and says what to do next; the reply of `--detach`. */
export async function submitDetached(invocation: Invocation, backend: Backend<HealthReport>, request: SubmitRequest): Promise<void> {
  const { taskId, created } = await backend.submit(request)
  invocation.output.document({ task_id: taskId, status: 'queued', created })
  invocation.output.text(`${created ? 'Queued' : 'Already queued:'} task ${taskId}. "sweepmill tasks show ${taskId}" shows it; a running worker takes it.`)
}
