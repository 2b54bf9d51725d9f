/** Dead letters over HTTP: looking, and running one again. */
import type { FastifyInstance } from 'fastify'
import { SweepmillError } from '../base/errors.js'
import type { DeadLetters, TaskReader } from '../tasks/backend.js'
import { DEAD_LETTER_REASONS } from '../tasks/task.js'
import { errorSchema, task, taskParams } from './openapi.js'
import { cursorOf, parseLimit, parseTime, placeOf, refuse, soleValues } from './query.js'
import { taskIdOf } from './task-routes.js'

const KEYS = ['type', 'reason', 'user_id', 'since', 'before', 'limit', 'cursor'] as const
const DEFAULT_LIMIT = 50

const span = {
  since: { type: 'string', format: 'date-time' }, before: { type: 'string', format: 'date-time' }, limit: { type: 'integer', minimum: 1, maximum: 1000 },
} as const

const quarantineQuery = { type: 'object', properties: span } as const

const query = {
  type: 'object',
  properties: {
    type: { type: 'string' }, reason: { type: 'string', enum: DEAD_LETTER_REASONS }, user_id: { type: 'string' }, ...span,
    cursor: { type: 'string', description: 'The next_cursor of the page before; it is null on the last page.' },
  },
} as const

export function addDlqRoutes(app: FastifyInstance, backend: TaskReader & { readonly deadLetters: DeadLetters }): void {
  app.get('/api/dlq', { schema: { summary: 'Dead letters, latest failure first', querystring: query } }, async (request) => {
    const { type, reason, user_id: userId, since, before, limit: count, cursor } = soleValues(request.query as Record<string, unknown>, KEYS)
    if (reason !== undefined && !(DEAD_LETTER_REASONS as readonly string[]).includes(reason)) throw refuse('reason', `must be one of ${DEAD_LETTER_REASONS.join(', ')}`)
    const limit = count === undefined ? DEFAULT_LIMIT : parseLimit(count)
    const letters = await backend.deadLetters.list({
      type, reason, userId, since: timeOf('since', since), before: timeOf('before', before), limit, after: cursor === undefined ? undefined : positionOf(cursor),
    })
    const last = letters.at(-1)
    return { dead_letters: letters, next_cursor: last === undefined || letters.length < limit ? null : cursorOf(last.last_failure_at, last.task_id) }
  })
  app.get('/api/dlq/quarantine', { schema: { summary: 'Entries that no task could be made of, latest first', querystring: quarantineQuery } }, async (request) => {
    const { since, before, limit } = soleValues(request.query as Record<string, unknown>, ['since', 'before', 'limit'])
    return {
      quarantine: await backend.deadLetters.quarantine({
        since: timeOf('since', since), before: timeOf('before', before), limit: limit === undefined ? DEFAULT_LIMIT : parseLimit(limit),
      }),
    }
  })
  app.post('/api/dlq/:id/redrive', { schema: { summary: 'Run a dead letter again, as a new generation', params: taskParams, response: { 200: task, 404: errorSchema, 409: errorSchema } } },
    async (request) => {
      const taskId = taskIdOf(request)
      const { status } = await backend.task(taskId)
      const [redriven] = await backend.deadLetters.redrive({ taskIds: [taskId] }, false)
      if (redriven === undefined) throw new SweepmillError('STATE_CONFLICT', `Task ${taskId} is ${status}, not a dead letter.`, { details: { status } })
      return backend.task(taskId)
    })
}

function timeOf(key: string, text: string | undefined): string | undefined {
  return text === undefined ? undefined : parseTime(key, text)
}

function positionOf(cursor: string): { lastFailureAt: string; taskId: string } {
  const { time, taskId } = placeOf(cursor)
  return { lastFailureAt: time, taskId }
}
