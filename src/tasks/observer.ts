/** Port: who counts what happens. Telemetry implements it; the default counts nothing. */
import type { TaskPriority } from './task.js'
import type { Renewal } from './task-stream.js'

export interface QueueObserver {
  enqueued(priority: TaskPriority, type: string): void
  dequeued(priority: TaskPriority, type: string): void
  completed(priority: TaskPriority, type: string, seconds: number): void
  failed(priority: TaskPriority, type: string, reason: string, seconds: number): void
  deadLettered(type: string): void
  recovered(priority: TaskPriority): void
  fenced(kind: string): void
  renewed(result: Renewal): void
  reconciled(what: string, count: number): void
  barsProcessed(count: number): void
}

const nothing = (): void => undefined

export const silentObserver: QueueObserver = {
  enqueued: nothing, dequeued: nothing, completed: nothing, failed: nothing, deadLettered: nothing, recovered: nothing,
  fenced: nothing, renewed: nothing, reconciled: nothing, barsProcessed: nothing,
}
