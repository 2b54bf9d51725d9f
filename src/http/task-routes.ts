/** The routes under /api: submitting tasks and looking after them. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { SweepmillError } from '../base/errors.js'
import { isTaskId } from '../base/ids.js'
import { taskDocument } from '../tasks/task-document.js'
import { QUEUED, TaskType } from '../tasks/task.js'
import type { TaskControl, TaskReader } from '../tasks/backend.js'
import { callerSignal } from './caller.js'
import { backtestBody, cleanupBody, dataSyncBody, errorSchema, optimizationBody, queued, retryBody, task, taskParams, taskQuery } from './openapi.js'
import { refuse } from './query.js'
import { parseSubmission } from './submission.js'
import { DEFAULT_LIMIT, nextCursor, parseTaskQuery } from './task-query.js'

export function addTaskRoutes(app: FastifyInstance, backend: TaskControl & TaskReader, dataRoots: readonly string[]): void {
  const submit = (taskType: TaskType, nothing?: object) => async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const submission = parseSubmission(taskType, request.body ?? nothing, { ipAddress: request.ip, roots: dataRoots })
    const submitted = await backend.submit(submission, callerSignal(reply.raw))
    return { task_id: submitted.taskId, status: QUEUED }
  }
  const submitted = { 202: queued, 400: errorSchema, 409: errorSchema, 503: errorSchema }
  app.post('/api/backtests', { schema: { summary: 'Queue a backtest', body: backtestBody, response: submitted } },
    async (request, reply) => reply.code(202).send(await submit(TaskType.BACKTEST)(request, reply)))
  app.post('/api/optimizations', { schema: { summary: 'Queue a parameter sweep', body: optimizationBody, response: submitted } },
    async (request, reply) => reply.code(202).send(await submit(TaskType.OPTIMIZATION)(request, reply)))

  app.post('/api/data-syncs', { schema: { summary: 'Queue a sync of bars from an exchange', body: dataSyncBody, response: submitted } },
    async (request, reply) => reply.code(202).send(await submit(TaskType.DATA_SYNC)(request, reply)))

  // Every key has a default, so a POST without a body is one.
  app.post('/api/cleanups', { schema: { summary: 'Queue a cleanup', body: cleanupBody, response: submitted } },
    async (request, reply) => reply.code(202).send(await submit(TaskType.CLEANUP, {})(request, reply)))

  app.get('/api/tasks', { schema: { summary: 'Tasks, newest first', querystring: taskQuery } },
    async (request) => {
      const query = parseTaskQuery(request.query as Record<string, unknown>)
      const tasks = await backend.tasks(query)
      return { tasks, next_cursor: nextCursor(tasks, query.limit ?? DEFAULT_LIMIT) }
    })

  const found = { 200: task, 404: errorSchema }
  app.get('/api/tasks/:id', { schema: { summary: 'One task', params: taskParams, response: found } },
    async (request) => taskDocument(await backend.task(taskIdOf(request))))
  app.get('/api/tasks/:id/checkpoints', { schema: { summary: 'A task\'s checkpoints, oldest first', params: taskParams } },
    async (request) => {
      const taskId = taskIdOf(request)
      return { task_id: taskId, checkpoints: await backend.checkpoints(taskId) }
    })
  const steered = { 200: task, 404: errorSchema, 409: errorSchema }
  app.post('/api/tasks/:id/cancel', { schema: { summary: 'Cancel a task', params: taskParams, response: steered } },
    async (request) => backend.cancel(taskIdOf(request)))
  app.post('/api/tasks/:id/retry', { schema: { summary: 'Run a finished task again; a sweep from its beginning with start_over', params: taskParams, body: retryBody, response: steered } },
    async (request) => backend.retry(taskIdOf(request), { startOver: startOverOf(request.body) }))
}

/** `{"start_over": true}`; no body, or an empty one, means false. */
function startOverOf(body: unknown): boolean {
  for (const key of Object.keys(body ?? {})) if (key !== 'start_over') throw refuse(key, 'is not known; known is start_over')
  const { start_over: startOver = false } = (body ?? {}) as { start_over?: unknown }
  if (typeof startOver !== 'boolean') throw refuse('start_over', 'must be true or false')
  return startOver
}

/** An id of the wrong shape cannot name a task, so it is not found rather than an error of Postgres. */
export function taskIdOf(request: FastifyRequest): string {
  const { id } = request.params as { id: string }
  if (!isTaskId(id)) throw new SweepmillError('TASK_NOT_FOUND', `No task has the id "${id}".`, { details: { task_id: id } })
  return id.toLowerCase()
}
