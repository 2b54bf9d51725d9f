/**
 * SIGKILL before and after every write of a saga's log, forwards and backwards: another process ends the saga, completed or
 * fully compensated, and what it leaves is what a run without a kill leaves.
 *
 * In the test suite a seeded part of the points; all of them with `npm run test:faults -- --only saga`, which prints the table.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { packageRoot } from '../../src/base/package-root.js'
import { seededRandom } from '../../src/base/random.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import type { SubmitRequest } from '../../src/tasks/backend.js'
import { TaskType } from '../../src/tasks/task.js'
import { eventually } from '../eventually.js'
import { BybitServer } from '../exchange/bybit-server.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'
import { settleAndCheck } from './invariants.js'
import { tableRow } from './kill-table.js'
import { Children } from './processes.js'
import type { Child } from './processes.js'

const SCENES_AT_ONCE = 3
/** Of the points, in the test suite. */
const SHARE = process.env['FAULT_SPIN_SECONDS'] === undefined ? 0.15 : 1

const file = join(packageRoot, 'samples', 'sp500-daily.csv')

interface SagaCase {
  readonly saga: string
  /** What there is before the task. */
  readonly setUp?: (bed: TestBed) => Promise<unknown>
  readonly request: SubmitRequest
  /** What the saga is for, without what differs between any two runs. */
  readonly effects: (bed: TestBed) => Promise<unknown>
}

const results = (bed: TestBed): Promise<unknown> => bed.sql(
  "select (select jsonb_agg(result - 'reused_chunks' - 'compute_ms') from tasks) as results, (select jsonb_agg(kind || case kind when 'ranking' then '' else ' ' || length(bytes) end order by kind) from task_artifacts) as artifacts")

/** Finished tasks of long ago, with what belongs to them. */
const oldTasks = (bed: TestBed): Promise<unknown> => bed.sql(`
  with old as (
    insert into tasks (task_id, task_type, priority, status, data, payload_hash, created_at, completed_at)
    select gen_random_uuid(), 'noop', 'low', 'completed', '{}', 'h', now() - interval '60 days', now() - interval '59 days' from generate_series(1, 700) returning task_id
  ), artifacts as (
    insert into task_artifacts (task_id, kind, attempt, bytes) select task_id, 'equity', 1, '\\x010203' from old
  )
  insert into checkpoints (task_id, attempt, step, data, created_at) select task_id, 1, 'one', '{}', now() - interval '59 days' from old`)

let exchange: BybitServer
beforeAll(async () => { exchange = await BybitServer.start() })
afterAll(() => exchange.stop())

const CASES: readonly SagaCase[] = [
  {
    saga: TaskType.DATA_SYNC,
    effects: async (bed) => [await bed.sql("select result - 'pages' as result from tasks"), await bed.sql('select month, block_hash, bars from series_blocks order by month'), await bed.sql('select count(*)::int as changes from series_changes where undone_at is null')],
    request: { taskType: TaskType.DATA_SYNC, roots: null, data: { exchange: 'bybit', symbol: 'BTCUSDT', timeframe: '1m', start_date: '2024-01-29', end_date: '2024-02-02' } },
  },
  {
    saga: TaskType.CLEANUP, setUp: oldTasks,
    effects: async (bed) => [await bed.sql("select task_type, result->'rows' as rows from tasks"), await bed.sql('select (select count(*)::int from task_artifacts) as artifacts, (select count(*)::int from checkpoints where step = \'one\') as checkpoints')],
    request: { taskType: TaskType.CLEANUP, roots: null, data: {} },
  },
  {
    saga: TaskType.BACKTEST, effects: results,
    request: { taskType: TaskType.BACKTEST, roots: null, data: { file, strategy: { name: 'sma-cross', params: { fast: 10, slow: 20 } } } },
  },
  {
    saga: TaskType.OPTIMIZATION, effects: async (bed) => [await results(bed), await bed.sql('select sum(trials)::int as trials from sweep_chunks')],
    request: {
      taskType: TaskType.OPTIMIZATION, roots: null, fresh: true,
      data: { file, strategy: { name: 'sma-cross' }, constraint: 'fast < slow', top: 3, space: { fast: { min: 2, max: 20, step: 1 }, slow: { min: 3, max: 60, step: 1 } } },
    },
  },
]

interface Scene {
  readonly bed: TestBed
  readonly children: Children
  readonly taskId: string
  readonly first: Child
}

interface Kill {
  readonly point: 'logging' | 'logged' | 'before_commit' | 'committed'
  readonly nth: number
}

/** One worker, killed where asked, and one task; `then` runs once the task is over. */
async function play<T>({ request, setUp }: SagaCase, failSaves: boolean, kill: Kill | null, then: (scene: Scene) => Promise<T>): Promise<T> {
  const bed = await openTestBed()
  const children = new Children()
  const pool = createComputePool({ threads: 1, clock: systemClock })
  try {
    const client = await bed.open({ role: 'client', pool })
    await setUp?.(bed)
    const environment = { ...bed.environment, BYBIT_URL: exchange.url }
    const first = children.start({ role: 'worker', failSaves, ...(kill === null ? { trace: 'logging' } : { kill }) }, environment)
    const { taskId } = await client.backend.submit(request)
    if (kill !== null) {
      expect(await first.exited).toBe('SIGKILL')
      children.start({ role: 'worker', failSaves }, environment)
    }
    await settleAndCheck(bed, [taskId])
    return await then({ bed, children, taskId, first })
  } finally {
    await children.killAll()
    await bed.close()
    await pool.close()
  }
}

function nameOf({ point, nth }: Kill, writes: number): string {
  const when = point === 'logging' || point === 'before_commit' ? 'before' : 'after'
  return point === 'logging' || point === 'logged' ? `${when} write ${nth} of ${writes}` : `${when} the commit`
}

/** No step ended twice in a run, no undo either, and everything that was begun in a run that failed is undone. */
async function checkLog(bed: TestBed, forwards: boolean): Promise<string> {
  const twice = await bed.sql(`select detail->>'step' as step, event, attempt, count(*) from task_events
    where event in ('step_complete', 'compensation_complete', 'saga_complete') group by 1, 2, 3 having count(*) > 1`)
  expect(twice).toEqual([])
  const runs = await bed.sql<{ status: string }>('select status from saga_runs order by run')
  expect(runs.map((run) => run.status)).toEqual([forwards ? 'completed' : 'compensated'])
  const [open] = await bed.sql<{ n: number }>(`select count(*)::int as n from saga_steps s
    where not undo and exists (select 1 from saga_runs r where r.task_id = s.task_id and r.run = s.run and r.status = 'compensated')
      and exists (select 1 from saga_steps u where u.task_id = s.task_id and u.run = s.run and u.undo and u.step = s.step and u.status <> 'finished')`)
  expect(open?.n).toBe(0)
  const [task] = await bed.sql<{ status: string; attempt: number }>('select status, attempt from tasks')
  return `${String(runs[0]?.status)}, task ${String(task?.status)} in ${String(task?.attempt)} attempts`
}

describe.each(CASES)('$saga', (sagaCase) => {
  test.each([['forwards', false], ['backwards', true]] as const)('killed at the writes of its log, %s', async (direction, failSaves) => {
    const whole = await play(sagaCase, failSaves, null, async ({ bed, first }) => {
      await checkLog(bed, !failSaves)
      const passed = await eventually('the trace', () => Promise.resolve(first.messages.filter((message) => message.kind === 'passed').length))
      return { effects: await sagaCase.effects(bed), writes: passed }
    })
    expect(whole.writes).toBeGreaterThan(3)
    const random = seededRandom(Number(process.env['FAULT_SEED'] ?? 1))
    const ends: readonly Kill[] = [{ point: 'before_commit', nth: 1 }, { point: 'committed', nth: 1 }]
    const kills = [...Array.from({ length: whole.writes }, (_, i): Kill[] => [{ point: 'logging', nth: i + 1 }, { point: 'logged', nth: i + 1 }]).flat(), ...ends]
      .filter(() => random.next() < SHARE)
    const rows: string[] = []
    const lane = async (): Promise<void> => {
      for (let kill = kills.shift(); kill !== undefined; kill = kills.shift()) {
        const point = nameOf(kill, whole.writes)
        const outcome = await play(sagaCase, failSaves, kill, async ({ bed }) => {
          const said = await checkLog(bed, !failSaves)
          expect(await sagaCase.effects(bed)).toEqual(whole.effects)
          return said
        }).catch((error: unknown) => { throw new Error(`killed ${point}`, { cause: error }) })
        rows.push(tableRow({ saga: sagaCase.saga, direction, point, outcome }))
      }
    }
    await Promise.all(Array.from({ length: SCENES_AT_ONCE }, lane))
    // On lines of their own: the first one is coloured by whoever prints the output of tests.
    console.log(['', ...rows].join('\n'))
  }, 600_000)
})
