/** The query string of GET /api/tasks, checked key by key; REQUEST_INVALID names the key. */
import { SweepmillError } from '../base/errors.js'
import { LEGAL_TRANSITIONS } from '../tasks/task.js'
import type { TaskStatus } from '../tasks/task.js'
import type { TaskQuery } from '../tasks/backend.js'

const KEYS = ['status', 'type', 'user_id', 'limit', 'before']
const STATUSES = Object.keys(LEGAL_TRANSITIONS) as TaskStatus[]
const DEFAULT_LIMIT = 50
const MAX_LIMIT = 1000

export function parseTaskQuery(query: Readonly<Record<string, unknown>>): TaskQuery {
  for (const [key, value] of Object.entries(query)) {
    if (!KEYS.includes(key)) throw refusal(key, `is not known; known are ${KEYS.join(', ')}`)
    if (typeof value !== 'string') throw refusal(key, 'was given more than once')
  }
  const { status, type, user_id: userId, limit, before } = query as Record<string, string | undefined>
  return {
    status: status === undefined ? undefined : parseStatus(status),
    type,
    userId,
    limit: limit === undefined ? DEFAULT_LIMIT : parseLimit(limit),
    before: before === undefined ? undefined : parseBefore(before),
  }
}

function parseStatus(text: string): TaskStatus {
  const found = STATUSES.find((status) => status === text.toLowerCase())
  if (found === undefined) throw refusal('status', `must be one of ${STATUSES.join(', ')}`)
  return found
}

function parseLimit(text: string): number {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > MAX_LIMIT) throw refusal('limit', `must be a whole number from 1 to ${MAX_LIMIT}`)
  return limit
}

function parseBefore(text: string): string {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw refusal('before', 'must be an ISO 8601 time, such as 2025-11-05T17:30:00Z')
  return new Date(ms).toISOString()
}

function refusal(key: string, why: string): SweepmillError {
  return new SweepmillError('REQUEST_INVALID', `"${key}" ${why}.`, { details: { key } })
}
