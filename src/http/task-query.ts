/** The query string of GET /api/tasks. */
import type { TaskQuery, TaskView } from '../tasks/backend.js'
import { STATUS_NAMES, statusNamed } from '../tasks/task.js'
import type { TaskStatus } from '../tasks/task.js'
import { cursorOf, parseLimit, parseTime, placeOf, refuse, soleValues } from './query.js'

const KEYS = ['status', 'type', 'user_id', 'name', 'tag', 'limit', 'before', 'cursor'] as const
export const DEFAULT_LIMIT = 50

export function parseTaskQuery(query: Readonly<Record<string, unknown>>): TaskQuery {
  const { status, type, user_id: userId, name, tag, limit, before, cursor } = soleValues(query, KEYS)
  return {
    status: status === undefined ? undefined : parseStatus(status),
    type,
    userId,
    name,
    tags: tag?.split(','),
    limit: limit === undefined ? DEFAULT_LIMIT : parseLimit(limit),
    before: before === undefined ? undefined : parseTime('before', before),
    after: cursor === undefined ? undefined : positionOf(cursor),
  }
}

/** Null on the last page. */
export function nextCursor(tasks: readonly TaskView[], limit: number): string | null {
  const last = tasks.at(-1)
  return last === undefined || tasks.length < limit ? null : cursorOf(last.created_at, last.task_id)
}

function positionOf(cursor: string): { readonly createdAt: string; readonly taskId: string } {
  const { time, taskId } = placeOf(cursor)
  return { createdAt: time, taskId }
}

function parseStatus(text: string): TaskStatus {
  const found = statusNamed(text)
  if (found === undefined) throw refuse('status', `must be one of ${STATUS_NAMES.join(', ')}`)
  return found
}
