/** Port: who counts what happens. Telemetry implements it; the default counts nothing. */
import type { TaskPriority } from './task.js'
import type { Renewal } from './task-stream.js'

export interface QueueObserver {
  enqueued(priority: TaskPriority, type: string): void
  dequeued(priority: TaskPriority, type: string): void
  completed(priority: TaskPriority, type: string, durationMs: number): void
  failed(priority: TaskPriority, type: string, reason: string, durationMs: number): void
  /** Not counted as failed. `durationMs` is null for a task that was cancelled before it began. */
  cancelled(priority: TaskPriority, type: string, durationMs: number | null): void
  deadLettered(type: string): void
  recovered(priority: TaskPriority): void
  fencedWrite(kind: string): void
  leaseRenewal(result: Renewal): void
  reconciled(what: string, count: number): void
}

const nothing = (): void => undefined

export const silentObserver: QueueObserver = {
  enqueued: nothing, dequeued: nothing, completed: nothing, failed: nothing, cancelled: nothing, deadLettered: nothing, recovered: nothing,
  fencedWrite: nothing, leaseRenewal: nothing, reconciled: nothing,
}
