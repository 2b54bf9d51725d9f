/**
 * A million tasks that do nothing, through the whole queue: does it leave anything behind?
 *
 * Runs only when asked for (`--only million`), because it takes minutes and a gigabyte of Postgres.
 */
import { Redis } from 'ioredis'
import { PRIORITIES } from '../../src/tasks/task.js'
import type { Suite } from '../figure.js'
import { openWorkplace } from '../workplace.js'

const BATCH = 500
const AT_ONCE = 20_000

export const millionSuite: Suite = async ({ smoke, stateDir }) => {
  const place = await openWorkplace(stateDir, 'client', 1)
  const redis = new Redis(place.redisUrl)
  try {
    const { queue, stream } = place.runtime
    const tasks = smoke ? 2000 : 1_000_000
    const usedBytes = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
    const round = async (count: number): Promise<number> => {
      for (let i = 0; i < count; i += BATCH) {
        await queue.enqueueTasks(Array.from({ length: Math.min(BATCH, count - i) }, (_, n) => ({ taskType: 'noop', data: { n }, priority: PRIORITIES[n % 3] })))
      }
      for (let done = 0; ;) {
        const receipts = await queue.dequeueTask({ count: 200, blockMs: 0 })
        if (receipts.length === 0) return done
        await Promise.all(receipts.map((receipt) => queue.acknowledgeTask(receipt)))
        done += receipts.length
      }
    }
    await round(Math.min(tasks, 1000)) // scripts and groups exist from here on
    const before = await usedBytes()
    const startedMs = performance.now()
    let done = 0
    while (done < tasks) done += await round(Math.min(AT_ONCE, tasks - done))
    const seconds = (performance.now() - startedMs) / 1000
    const lengths = await stream.lengths()
    const left = PRIORITIES.reduce((sum, priority) => sum + lengths[priority], 0) + await stream.delayedCount() + (await stream.pending(0)).length
    const completed = await place.countTasks('completed')
    return {
      suite: 'million', limit: 'three commits of a batch and three scripts a batch',
      figures: [
        { name: 'enqueued, dequeued and acknowledged', value: done / seconds, unit: 'tasks/s' },
        { name: 'entries left in Redis', value: left, unit: 'entries', target: { kind: 'max', value: 0 } },
        { name: 'growth of Redis\'s memory', value: ((await usedBytes()) - before) / 2 ** 20, unit: 'MiB', target: { kind: 'max', value: 4 } },
        { name: 'completed rows in Postgres', value: completed, unit: 'rows', target: { kind: 'min', value: tasks } },
      ],
    }
  } finally {
    redis.disconnect()
    await place.close()
  }
}
