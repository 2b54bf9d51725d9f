/** The queue over HTTP: pausing and resuming priorities. */
import type { FastifyInstance } from 'fastify'
import type { PauseBook } from '../tasks/pause-book.js'
import { PRIORITIES } from '../tasks/task.js'
import type { TaskPriority } from '../tasks/task.js'
import { errorSchema } from './openapi.js'
import { refuse } from './query.js'

const body = { type: 'object', properties: { priority: { type: 'string', enum: [...PRIORITIES, 'all'], description: 'Default: all.' } } } as const
const paused = { type: 'object', required: ['paused'], properties: { paused: { type: 'array', items: { type: 'string', enum: PRIORITIES } } } } as const
const response = { 200: paused, 400: errorSchema }

export function addQueueRoutes(app: FastifyInstance, backend: { readonly pauses: PauseBook }): void {
  app.post('/api/queue/pause', { schema: { summary: 'Let no worker pick a priority; what runs goes on', body, response } },
    async (request) => ({ paused: await backend.pauses.pause(prioritiesOf(request.body)) }))
  app.post('/api/queue/resume', { schema: { summary: 'Let workers pick a priority again', body, response } },
    async (request) => ({ paused: await backend.pauses.resume(prioritiesOf(request.body)) }))
}

/** No body, or an empty one, means all. */
function prioritiesOf(body: unknown): readonly TaskPriority[] {
  for (const key of Object.keys(body ?? {})) if (key !== 'priority') throw refuse(key, 'is not known; known is priority')
  const { priority = 'all' } = (body ?? {}) as { priority?: unknown }
  if (priority === 'all') return PRIORITIES
  const found = PRIORITIES.find((one) => one === priority)
  if (found === undefined) throw refuse('priority', `must be one of ${PRIORITIES.join(', ')}, all`)
  return [found]
}
