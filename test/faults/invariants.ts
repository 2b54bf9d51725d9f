/** What must hold after every fault, once nothing is left to do. */
import type { Redis } from 'ioredis'
import { GROUP } from '../../src/queue/redis-task-stream.js'
import { LEGAL_TRANSITIONS, PRIORITIES } from '../../src/tasks/task.js'
import type { TaskStatus } from '../../src/tasks/task.js'
import { eventually } from '../eventually.js'
import { assertLegalHistory } from '../legal-history.js'

export interface Scene {
  readonly redis: Redis
  readonly prefix: string
  sql<R extends object>(text: string, values?: readonly unknown[]): Promise<R[]>
}

export interface Tally {
  readonly accepted: number
  readonly completed: number
  readonly failed: number
  readonly deadLettered: number
  readonly attempts: number
  readonly reclaims: number
}

/** Waits until every task is final and Redis is drained, then checks; throws what is wrong. `idleMs`: how long nothing may end. */
export async function settleAndCheck(scene: Scene, accepted: readonly string[], idleMs = 120_000): Promise<Tally> {
  await settled(scene, idleMs)
  const tasks = await scene.sql<{ task_id: string; status: TaskStatus; generation: number; attempt: number }>('select task_id, status, generation, attempt from tasks')
  const known = new Set(tasks.map((task) => task.task_id))
  const lost = accepted.filter((id) => !known.has(id))
  if (lost.length > 0) throw new Error(`accepted tasks without a row: ${lost.join(', ')}`)
  const events = await scene.sql<{ task_id: string; event: string; from_status: TaskStatus | null; to_status: TaskStatus | null; generation: number }>(
    'select task_id, event, from_status, to_status, generation from task_events order by event_id')
  const byTask = groupByTask(events)
  for (const task of tasks) {
    const own = byTask.get(task.task_id) ?? []
    assertLegalHistory(own, LEGAL_TRANSITIONS)
    for (let generation = 1; generation <= task.generation; generation += 1) {
      const ends = own.filter((event) => event.generation === generation && event.to_status !== null && event.to_status !== 'pending' && event.to_status !== 'processing')
      if (ends.length !== 1) throw new Error(`task ${task.task_id} has ${ends.length} final states in generation ${generation}`)
    }
  }
  const count = (status: TaskStatus): number => tasks.filter((task) => task.status === status).length
  return {
    accepted: tasks.length, completed: count('completed'), failed: count('failed'), deadLettered: count('dead_letter'),
    attempts: tasks.reduce((sum, task) => sum + task.attempt, 0),
    reclaims: events.filter((event) => event.event === 'reclaimed' || event.event === 'owner_gone').length,
  }
}

/** As long as something ends there is no hurry: how much is left says nothing of how fast the machine is. */
async function settled(scene: Scene, idleMs: number): Promise<void> {
  for (let left = await leftToDo(scene); left > 0;) {
    const before = left
    const less = async (): Promise<{ now: number } | null> => {
      const now = await leftToDo(scene)
      return now < before ? { now } : null
    }
    left = (await eventually(`every task to end and Redis to drain, of which ${before} are left`, less, idleMs).catch(async (error: unknown) => {
      const open = await scene.sql("select task_id, task_type, status, attempt, owner, message_id, published_at is not null as published, not_before from tasks where status in ('pending', 'processing') limit 5")
      throw new Error(`${String(error)}; open: ${JSON.stringify(open)}; left in Redis: ${await leftInRedis(scene)}`)
    })).now
  }
}

/** Rows that are not final, and entries. */
async function leftToDo(scene: Scene): Promise<number> {
  const [row] = await scene.sql<{ n: number }>("select count(*)::int as n from tasks where status in ('pending', 'processing')")
  return (row?.n ?? 0) + (await leftInRedis(scene))
}

function groupByTask<E extends { readonly task_id: string }>(events: readonly E[]): Map<string, E[]> {
  const groups = new Map<string, E[]>()
  for (const event of events) {
    const own = groups.get(event.task_id)
    if (own === undefined) groups.set(event.task_id, [event])
    else own.push(event)
  }
  return groups
}

/** Entries, owned or not, and delayed tasks. */
async function leftInRedis({ redis, prefix }: Scene): Promise<number> {
  let left = await redis.zcard(`${prefix}tasks:delayed`)
  for (const priority of PRIORITIES) {
    left += await redis.xlen(`${prefix}tasks:${priority}`)
    const pending = await redis.xpending(`${prefix}tasks:${priority}`, GROUP).catch(() => [0])
    left += Number(pending[0])
  }
  return left
}
