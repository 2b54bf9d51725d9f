/** Progress on its way to Postgres: of the attempt that runs, of one that is over, and of one that was overtaken. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { ProgressBoard } from '../../src/runtime/progress-board.js'
import { PostgresAttemptStore } from '../../src/store/attempt-store.js'
import { Postgres } from '../../src/store/postgres.js'
import { silentObserver } from '../../src/tasks/observer.js'
import type { Attempt } from '../../src/tasks/task.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'

let bed: TestBed
let postgres: Postgres
beforeEach(async () => {
  bed = await openTestBed()
  postgres = new Postgres({ databaseUrl: bed.databaseUrl })
})
afterEach(async () => {
  await postgres.close()
  await bed.close()
})

test('only the attempt that runs moves the progress; what a later one overtook is refused and counted', async () => {
  const client = await bed.open({ role: 'client' })
  const taskId = await client.queue.enqueueTask({ taskType: 'noop', data: {} })
  const at = (status: string, attempt: number): Promise<object[]> => bed.sql('update tasks set status = $2, attempt = $3 where task_id = $1', [taskId, status, attempt])
  const progress = async (): Promise<unknown> => (await bed.sql<{ progress: unknown }>('select progress from tasks'))[0]?.progress
  const refused: string[] = []
  const board = new ProgressBoard(new PostgresAttemptStore(postgres, 'test', 600), { ...silentObserver, fencedWrite: (kind) => { refused.push(kind) } }, systemClock)
  const report = (attempt: number, done: number): void => { board.report({ taskId, attempt } as Attempt, { step: 'one', done, total: 9 }) }
  try {
    await at('processing', 2)
    report(2, 5)
    expect(board.latest(taskId)).toMatchObject({ done: 5 })
    await eventually('the row', async () => ((await progress()) as { done?: number } | null)?.done === 5)
    report(1, 8)
    await eventually('the refusal', () => Promise.resolve(refused.length > 0))
    expect([refused, await progress()]).toEqual([['progress'], { step: 'one', done: 5, total: 9 }])
    // Late, but nobody else has the task: nothing to count.
    await at('completed', 2)
    report(2, 9)
    board.ended(taskId)
    expect(board.latest(taskId)).toBeNull()
    report(1, 9)
    await eventually('the second refusal', () => Promise.resolve(refused.length > 1))
    expect(await progress()).toEqual({ step: 'one', done: 5, total: 9 })
  } finally {
    await board.stop()
  }
})
