/** Streams are numbered from 1 by priority, as the scripts' KEYS are. */
import { PRIORITIES } from '../tasks/task.js'
import type { TaskPriority } from '../tasks/task.js'

export function streamNumber(priority: TaskPriority): number {
  return PRIORITIES.indexOf(priority) + 1
}

export function priorityOf(n: number): TaskPriority {
  return PRIORITIES[n - 1] ?? 'low'
}

export function byPriority<T>(value: (index: number, priority: TaskPriority) => T): Record<TaskPriority, T> {
  return { high: value(0, 'high'), medium: value(1, 'medium'), low: value(2, 'low') }
}
