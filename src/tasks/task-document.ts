/**
 * The JSON of one task: one shape for `backtest --json`, `sweep --json`, `tasks show --json` and GET /api/tasks/:id.
 *
 * It is the task, whose result stands under `result`. Of a sweep the keys of the result stand beside it as
 * well, so that `best` or `result_hash` are where the command line always had them. A list leaves them out: they double it.
 */
import type { TaskView } from './backend.js'
import { TaskType } from './task.js'

export function taskDocument(task: TaskView): TaskView & Readonly<Record<string, unknown>> {
  const { result } = task
  if (task.task_type !== TaskType.OPTIMIZATION || typeof result !== 'object' || result === null) return { ...task }
  // What a task says of itself goes before what a result calls the same.
  return { ...task, ...Object.fromEntries(Object.entries(result).filter(([key]) => !Object.hasOwn(task, key))) }
}
