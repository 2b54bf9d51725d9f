/**
 * The dispatcher: fills free slots with tasks, runs each task's saga, and ends it.
 *
 * States: idle → running → draining → stopped. The loop only picks when a slot is free, never more than are free;
 * everything CPU-bound goes to the pool. Draining stops picking, hands running attempts back (finished chunks
 * stay committed) and waits for them within a bound.
 */
import { SweepmillError, toSweepmillError } from '../base/errors.js'
import type { Clock } from '../base/clock.js'
import type { Random } from '../base/random.js'
import { SagaOrchestrator } from '../saga/saga-orchestrator.js'
import type { SagaParts } from '../saga/saga-orchestrator.js'
import type { ComputePool } from '../tasks/compute-pool.js'
import { leaseLost, refusedWrite } from '../tasks/lease-lost.js'
import type { QueueObserver } from '../tasks/observer.js'
import { DEFAULT_RETRY, outcomeOfError } from '../tasks/retry-policy.js'
import type { RetryPolicy } from '../tasks/retry-policy.js'
import { PRIORITIES } from '../tasks/task.js'
import type { Attempt, Outcome, Progress, TaskPriority } from '../tasks/task.js'
import type { PassWaypoint } from '../tasks/waypoint.js'
import type { WorkflowCatalog } from '../workflows/workflow-catalog.js'
import type { Completed, WorkflowTools } from '../workflows/workflow.js'
import type { AttemptLedger } from './attempt-ledger.js'
import { atDeadline, AttemptStop } from './attempt-stop.js'
import type { LeaseKeeper } from './lease-keeper.js'
import type { TaskSource } from './task-source.js'

export interface TaskWorkerParts {
  readonly source: TaskSource
  readonly ledger: AttemptLedger
  readonly keeper: LeaseKeeper
  readonly observer: QueueObserver
  readonly waypoint: PassWaypoint
  readonly pool: ComputePool
  readonly saga: SagaParts
  readonly workflows: WorkflowCatalog
  /** Everything a step may touch except what belongs to one attempt. */
  readonly tools: Omit<WorkflowTools, 'signal' | 'compute' | 'report' | 'commit' | 'checkpoint' | 'lastCheckpoint'>
  readonly checkpoints: {
    save(attempt: Attempt, step: string, data: unknown): Promise<void>
    last(taskId: string, step: string): Promise<unknown>
  }
  readonly onProgress: (attempt: Attempt, progress: Progress) => void
  readonly onEnded: (attempt: Attempt) => void
  readonly clock: Clock
  readonly random: Random
  readonly retry?: RetryPolicy
  /** Task slots of each priority; HIGH's are never lent. */
  readonly slots: number
  readonly maxBatch: number
  readonly healthCheck: () => Promise<unknown>
  readonly log: (level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>>) => void
}

const PAUSE_AFTER_ERROR_MS = 500
export class TaskWorker {
  readonly #parts: TaskWorkerParts
  readonly #running: Record<TaskPriority, number> = { high: 0, medium: 0, low: 0 }
  readonly #attempts = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #state: 'idle' | 'running' | 'draining' | 'stopped' = 'idle'
  #loop: Promise<void> = Promise.resolve()
  #slotFreed: (() => void) | null = null
  readonly #counts = { dequeued: 0, completed: 0, failed: 0 }

  constructor(parts: TaskWorkerParts) {
    this.#parts = parts
  }

  start(): void {
    if (this.#state !== 'idle') throw new SweepmillError('STATE_CONFLICT', `A worker starts once; this one is ${this.#state}.`)
    this.#state = 'running'
    this.#loop = this.#dispatch()
  }

  get running(): boolean {
    return this.#state === 'running'
  }

  get counts(): { readonly dequeued: number; readonly completed: number; readonly failed: number } {
    return this.#counts
  }

  /** The report of GET /health. */
  healthCheck(): Promise<unknown> {
    return this.#parts.healthCheck()
  }

  /**
   * Stops picking, hands back what runs and waits for it at most `drainMs` milliseconds. Never throws.
   * What does not end in time is left to its lease.
   */
  async stop(drainMs = 10_000): Promise<void> {
    if (this.#state === 'stopped' || this.#state === 'draining') { await this.#loop; return }
    if (this.#state === 'idle') { this.#state = 'stopped'; return }
    this.#state = 'draining'
    this.#stopping.abort()
    this.#slotFreed?.()
    this.#parts.keeper.stopAll(new SweepmillError('WORKER_STOPPING', 'The worker is shutting down; the task goes on elsewhere.'))
    await this.#loop
    const drained = new AbortController()
    await Promise.race([Promise.allSettled(this.#attempts), this.#parts.clock.sleep(drainMs, drained.signal)])
    drained.abort()
    this.#state = 'stopped'
  }

  async #dispatch(): Promise<void> {
    const { source, ledger, clock, slots, maxBatch, log } = this.#parts
    while (this.#state === 'running') {
      const free = (priority: TaskPriority): number => Math.max(0, slots - this.#running[priority])
      const full = PRIORITIES.filter((priority) => free(priority) === 0)
      if (full.length === PRIORITIES.length) {
        await new Promise<void>((resolve) => { this.#slotFreed = resolve })
        continue
      }
      // Entries of a full priority ring no bell: they are there already. The slot that becomes free does.
      const freed = new AbortController()
      if (full.length > 0) this.#slotFreed = () => { freed.abort() }
      try {
        const deliveries = await source.next({ high: free('high'), medium: free('medium'), low: free('low') }, maxBatch,
          full.length > 0 ? freed.signal : this.#stopping.signal)
        if (deliveries.length === 0) continue
        for (const attempt of await ledger.open(deliveries, this.#stopping.signal)) this.#launch(attempt)
      } catch (thrown) {
        const error = toSweepmillError(thrown)
        if (this.#stopping.signal.aborted) return
        log('warn', 'could not pick tasks; trying again', { code: error.code, error: error.message })
        await clock.sleep(PAUSE_AFTER_ERROR_MS, this.#stopping.signal)
      }
    }
  }

  #launch(attempt: Attempt): void {
    this.#counts.dequeued += 1
    this.#running[attempt.priority] += 1
    const run = this.#run(attempt).catch((thrown: unknown) => {
      const error = toSweepmillError(thrown)
      this.#parts.log('error', 'an attempt could not be closed; its lease will lapse', { task_id: attempt.taskId, code: error.code, error: error.message })
    }).finally(() => {
      this.#running[attempt.priority] -= 1
      this.#attempts.delete(run)
      this.#slotFreed?.()
      this.#slotFreed = null
    })
    this.#attempts.add(run)
  }

  async #run(attempt: Attempt): Promise<void> {
    const { keeper, ledger, clock, random, log } = this.#parts
    const startedMs = clock.monotonicMs()
    const stop = new AttemptStop(attempt, startedMs)
    const release = keeper.hold({
      taskId: attempt.taskId, priority: attempt.priority, messageId: attempt.messageId, stop: stop.stop, check: (nowMs) => { stop.check(nowMs) },
    })
    // One that has passed already stops it here.
    stop.check(startedMs)
    const leaveDeadline = atDeadline(attempt, clock, () => { stop.check(clock.monotonicMs()) })
    if (this.#stopping.signal.aborted) stop.stop(new SweepmillError('WORKER_STOPPING', 'The worker is shutting down; the task goes on elsewhere.'))
    let committed = false
    const commit = async (completed: Completed): Promise<void> => {
      stop.signal.throwIfAborted()
      if (await ledger.close(attempt, completed, startedMs) === 'fenced') {
        throw leaseLost(attempt.taskId, 'finish')
      }
      committed = true
    }
    try {
      await this.#saga(attempt, stop, commit)
      if (!committed) await commit({ kind: 'completed', resultJson: null })
      this.#counts.completed += 1
      log('info', 'task completed', { task_id: attempt.taskId, type: attempt.taskType, attempt: attempt.attempt, ms: Math.round(clock.monotonicMs() - startedMs) })
    } catch (thrown) {
      const failure = toSweepmillError(thrown, 'COMPUTE_FAILED')
      const error = stop.outcomeOf(failure)
      if (error.code === 'LEASE_LOST' || committed) {
        const write = refusedWrite(error)
        // The ledger has counted its own.
        if (write !== null && write !== 'finish') this.#parts.observer.fencedWrite(write)
        log('warn', 'attempt ended without writing', { task_id: attempt.taskId, attempt: attempt.attempt, code: error.code, error: error.message })
        // Its entry is in other hands, its row may still name this attempt: whoever holds the entry need not be the one to
        // go on, so the row is given back, unless the fence says that the next attempt has it.
        if (write === null && !committed) await ledger.close(attempt, { kind: 'released', why: error.message, delayMs: 0 }, startedMs)
        return
      }
      const outcome: Outcome = {
        ...outcomeOfError(attempt, error.toData(), this.#parts.retry ?? DEFAULT_RETRY, random), ...(stop.undone(failure) ? { sagaUndone: true } : {}),
      }
      if (outcome.kind !== 'released') this.#counts.failed += 1
      log(outcome.kind === 'released' ? 'info' : 'warn', `task ${outcome.kind === 'retry' ? 'will be retried' : outcome.kind}`, { task_id: attempt.taskId, type: attempt.taskType, attempt: attempt.attempt, code: error.code, error: error.message })
      await ledger.close(attempt, outcome, startedMs)
    } finally {
      leaveDeadline()
      release()
      this.#parts.onEnded(attempt)
    }
  }

  async #saga(attempt: Attempt, stop: AttemptStop, commit: WorkflowTools['commit']): Promise<void> {
    const { workflows, saga } = this.#parts
    const orchestrator = new SagaOrchestrator({
      sagaType: attempt.taskType, userId: attempt.userId, ipAddress: attempt.ipAddress, enableMetrics: true, enableAuditLog: true,
    }, saga)
    const begun = await orchestrator.begin(workflows.newest(attempt.taskType).definition, attempt.taskId, attempt.attempt)
    const workflow = workflows.version(attempt.taskType, begun.version)
    let context: unknown
    try {
      context = workflow.begin(attempt, this.#toolsOf(attempt, stop, commit))
    } catch (thrown) {
      // Nothing was begun, so nothing is to undo.
      if (begun.steps.length === 0) stop.compensating()
      throw thrown
    }
    try {
      await orchestrator.resume(workflow.definition, context, begun, { signal: stop.signal, input: attempt.data, onCompensating: () => { stop.compensating() } })
    } finally {
      workflow.end(context)
    }
  }

  #toolsOf(attempt: Attempt, stop: AttemptStop, commit: WorkflowTools['commit']): WorkflowTools {
    const { pool, tools, clock, checkpoints, waypoint, onProgress } = this.#parts
    const progressed = (): void => { stop.progressed(clock.monotonicMs()) }
    return {
      ...tools,
      signal: stop.signal,
      commit,
      checkpoint: async (step, data) => {
        await checkpoints.save(attempt, step, data)
        progressed()
        waypoint('checkpointed', attempt.taskId)
      },
      lastCheckpoint: async <Data>(step: string) => await checkpoints.last(attempt.taskId, step) as Data | null,
      report: (progress) => {
        progressed()
        waypoint('computing', attempt.taskId)
        onProgress(attempt, progress)
      },
      compute: async (request) => {
        const signal = stop.computeSignal
        signal.throwIfAborted()
        if (request.userCode) stop.userCode(true)
        try {
          const reply = await pool.run({
            ...request, priority: attempt.priority, taskId: attempt.taskId, attempt: attempt.attempt, signal, stallMs: attempt.timeoutSeconds * 1000,
            ...(attempt.userId === null ? {} : { user: attempt.userId }),
            onProgress: (done, total) => { progressed(); request.onProgress?.(done, total) },
          })
          progressed()
          return reply
        } catch (thrown) {
          // The pool says "cancelled"; why the attempt was stopped is what decides its outcome.
          signal.throwIfAborted()
          throw thrown
        } finally {
          if (request.userCode) stop.userCode(false)
        }
      },
    }
  }
}
