/**
 * Waiting for one task: progress, Ctrl-C, and how busy the threads of this process were meanwhile.
 * What a backtest, a sweep and the demo have in common; each prints its own result.
 */
import type { Backend, SubmitRequest, TaskView } from '../tasks/backend.js'
import { QUEUED } from '../tasks/task.js'
import type { TaskStatus } from '../tasks/task.js'
import type { HealthReport } from '../telemetry/health.js'
import { asRecord } from './backtest-summary.js'
import type { Invocation } from './context.js'
import { failureOfTask, Interrupted } from './failure.js'
import { interruptible } from './interrupt.js'
import { exportCommand, whatHappensNow } from './interruption.js'
import type { Interruption } from './interruption.js'
import { ProgressDisplay } from './progress.js'
import { isWorkerRunning, noteMissingWorker } from './worker-notice.js'
import type { Workbench } from './session.js'
import { formatDuration } from './text-table.js'

/** What steps count. A sweep counts combinations: those that a constraint excludes are no trials. */
const UNITS: Readonly<Record<string, string>> = { run_backtest: 'bars', run_chunks: 'combinations' }

export interface AwaitedTask {
  /** Completed. */
  readonly task: TaskView
  /** Busy time of this process's threads ÷ (threads × the wait), 0..1; null where another process computed. */
  readonly busyShare: number | null
}

/** Resolves with the completed task; any other end, and a signal, is thrown: after a signal the user is told how to go on, unless `asked` is null: a demo that ends is over. */
export async function awaitTask(
  invocation: Invocation, workbench: Workbench, backend: Backend<HealthReport>, taskId: string, asked: Interruption | null,
): Promise<AwaitedTask> {
  const { output, context } = invocation
  const display = new ProgressDisplay(output.stderr, context.clock, UNITS)
  const startMs = context.clock.monotonicMs()
  const startBusyMs = workbench.busyMs()
  let status: TaskStatus = 'pending'
  try {
    const task = await interruptible(
      (signal) => backend.wait(taskId, (view) => {
        status = view.status
        display.update(view)
      }, signal),
      () => {
        display.stop()
        output.note(`Interrupted${asked === null ? '' : `; the task ${taskId} is kept`} (once more to leave at once).`)
      },
    )
    if (task.status !== 'completed') throw failureOfTask(task)
    const busyMs = workbench.busyMs() - startBusyMs
    const offeredMs = workbench.threads * (context.clock.monotonicMs() - startMs)
    return { task, busyShare: busyMs > 0 && offeredMs > 0 ? Math.min(1, busyMs / offeredMs) : null }
  } catch (error) {
    if (error instanceof Interrupted && asked !== null) {
      const workerRunning = await isWorkerRunning(invocation, backend)
      for (const line of whatHappensNow(taskId, workerRunning, asked)) output.note(`  ${line}`)
      output.document({ task_id: taskId, status, interrupted: true, worker_running: workerRunning, files: exportCommand(taskId, asked.outputs) })
    }
    throw error
  } finally {
    display.stop()
  }
}

/**
 * A command whose task has one flat result: submits it, waits unless told not to, and prints the result. As JSON it is
 * `{task_id, status, …result, processing_time_ms}`.
 */
export async function submitAndShow(invocation: Invocation, request: SubmitRequest, awaited: boolean, title: string, summary: (result: unknown) => string, again: string | null = null): Promise<void> {
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    await workbench.check(request)
    const backend = await workbench.connect(awaited ? 'session' : 'client')
    if (!awaited) return submitDetached(invocation, workbench, backend, request)
    const { taskId } = await workbench.submit(request)
    const { task } = await awaitTask(invocation, workbench, backend, taskId, { again, outputs: {} })
    output.document({ task_id: taskId, status: task.status, ...asRecord(task.result), processing_time_ms: task.processing_time_ms })
    output.text(`${output.bold(`${title} ${taskId}`)} in ${formatDuration(task.processing_time_ms ?? Number.NaN)}\n${summary(task.result)}`)
  })
}

/** Submits and says what to do next; the reply of `--detach`, `--delay` and `--at`. */
export async function submitDetached(invocation: Invocation, workbench: Workbench, backend: Backend<HealthReport>, request: SubmitRequest): Promise<void> {
  const { taskId, created } = await workbench.submit(request)
  const { notBefore } = request
  const workerRunning = await noteMissingWorker(invocation, backend)
  invocation.output.document({ task_id: taskId, status: QUEUED, created, worker_running: workerRunning, ...(notBefore === undefined || !created ? {} : { not_before: notBefore }) })
  invocation.output.text(`${created ? 'Queued' : 'Already there:'} task ${taskId}. "sweepmill tasks show ${taskId}" shows it; ${workerRunning === true ? 'the running worker takes it' : 'a worker takes it once one is running'}${notBefore === undefined || !created ? '' : `, not before ${notBefore}`}.`)
}
