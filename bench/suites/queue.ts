/**
 * Enqueue, dequeue and acknowledge through real Redis and Postgres (fsync on).
 *
 * An accepted task has a committed row, so one caller pays one fsync a task; concurrent callers share them.
 */
import type { Figure, Suite } from '../figure.js'
import { latencies } from '../figure.js'
import { openWorkplace } from '../workplace.js'

const CALLERS = 50
const DEQUEUE_COUNT = 10

export const queueSuite: Suite = async ({ smoke, stateDir }) => {
  const place = await openWorkplace(stateDir, 'client', 1)
  try {
    const { queue } = place.runtime
    const tasks = smoke ? 200 : 10_000
    const enqueue = (n: number): Promise<string> => queue.enqueueTask({ taskType: 'noop', data: { n }, priority: 'medium' })
    for (let i = 0; i < 50; i += 1) await enqueue(i) // warm-up
    await drain()

    const alone: number[] = []
    for (let i = 0; i < Math.min(tasks, 1000); i += 1) alone.push(await timed(() => enqueue(i)))

    const together: number[] = []
    let next = 0
    const startedMs = performance.now()
    await Promise.all(Array.from({ length: CALLERS }, async () => {
      while (next < tasks) {
        next += 1
        together.push(await timed(() => enqueue(next)))
      }
    }))
    const enqueueRate = together.length / ((performance.now() - startedMs) / 1000)

    const batchStartedMs = performance.now()
    const batches = Math.ceil(tasks / 500)
    for (let i = 0; i < batches; i += 1) {
      await queue.enqueueTasks(Array.from({ length: 500 }, (_, n) => ({ taskType: 'noop', data: { n }, priority: 'medium' as const })))
    }
    const batchRate = (batches * 500) / ((performance.now() - batchStartedMs) / 1000)

    const dequeues: number[] = []
    const acks: number[] = []
    let taken = 0
    const takeStartedMs = performance.now()
    for (;;) {
      const fromMs = performance.now()
      const receipts = await queue.dequeueTask({ count: DEQUEUE_COUNT, blockMs: 0 })
      if (receipts.length === 0) break
      dequeues.push(performance.now() - fromMs)
      taken += receipts.length
      await Promise.all(receipts.map(async (receipt) => { acks.push(await timed(() => queue.acknowledgeTask(receipt))) }))
    }
    const takeSeconds = (performance.now() - takeStartedMs) / 1000
    const figures: Figure[] = [
      { name: `enqueue, ${CALLERS} callers`, value: enqueueRate, unit: 'tasks/s', target: { kind: 'min', value: 1000 } },
      ...latencies(`enqueue, ${CALLERS} callers,`, together, { p50: 10, p99: 50 }),
      ...latencies('enqueue, one caller,', alone),
      { name: 'enqueue, batches of 500', value: batchRate, unit: 'tasks/s' },
      { name: 'dequeue and acknowledge, one worker', value: taken / takeSeconds, unit: 'tasks/s', target: { kind: 'min', value: 500 } },
      ...latencies(`dequeue of ${DEQUEUE_COUNT}`, dequeues, { p50: 50, p99: 200 }),
      ...latencies('acknowledge', acks, { p50: 5 }),
    ]
    return { suite: 'queue', limit: 'one fsync per commit; an ack is one commit and one script', figures }
  } finally {
    await place.close()
  }

  async function drain(): Promise<void> {
    for (;;) {
      const receipts = await place.runtime.queue.dequeueTask({ count: 100, blockMs: 0 })
      if (receipts.length === 0) return
      await Promise.all(receipts.map((receipt) => place.runtime.queue.acknowledgeTask(receipt)))
    }
  }
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const fromMs = performance.now()
  await run()
  return performance.now() - fromMs
}
