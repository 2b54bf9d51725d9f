/** The query string of GET /api/tasks. */
import type { TaskQuery } from '../tasks/backend.js'
import { STATUS_NAMES, statusNamed } from '../tasks/task.js'
import type { TaskStatus } from '../tasks/task.js'
import { parseLimit, parseTime, refuse, soleValues } from './query.js'

const KEYS = ['status', 'type', 'user_id', 'name', 'tag', 'limit', 'before'] as const
const DEFAULT_LIMIT = 50

export function parseTaskQuery(query: Readonly<Record<string, unknown>>): TaskQuery {
  const { status, type, user_id: userId, name, tag, limit, before } = soleValues(query, KEYS)
  return {
    status: status === undefined ? undefined : parseStatus(status),
    type,
    userId,
    name,
    tags: tag?.split(','),
    limit: limit === undefined ? DEFAULT_LIMIT : parseLimit(limit),
    before: before === undefined ? undefined : parseTime('before', before),
  }
}

function parseStatus(text: string): TaskStatus {
  const found = statusNamed(text)
  if (found === undefined) throw refuse('status', `must be one of ${STATUS_NAMES.join(', ')}`)
  return found
}
