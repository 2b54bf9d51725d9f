/** Stored strategies: ids and versions, and tasks that name one over HTTP and on the command line, without the file. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { packageRoot } from '../../src/base/package-root.js'
import { createHttpServer } from '../../src/http/server.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import { draftStrategy } from '../../src/runtime/strategy-draft.js'
import type { StrategyRequest, StrategyView } from '../../src/tasks/backend.js'
import type { ComputePool } from '../../src/tasks/compute-pool.js'
import { TaskType } from '../../src/tasks/task.js'
import { createLogger } from '../../src/telemetry/logger.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'

const SAMPLES = join(packageRoot, 'samples')
const SAMPLE = join(SAMPLES, 'sp500-daily.csv')
const MINE = `import { defineStrategy } from 'sweepmill'
export default defineStrategy({
  name: 'my-breakout', params: { period: { min: 5, max: 200, step: 1, default: 20 } }, constraint: ({ period }) => period !== 13,
  signals({ close }, { period }, ta) {
    const highest = ta.rollingMax(close, period), lowest = ta.rollingMin(close, period)
    return { longEntry: close.map((price, i) => (i > 0 && price > highest[i - 1] ? 1 : 0)), longExit: close.map((price, i) => (i > 0 && price < lowest[i - 1] ? 1 : 0)) }
  },
})`

let bed: TestBed
let pool: ComputePool
let runtime: TestRuntime
let folder: string
let file: string
beforeEach(async () => {
  bed = await openTestBed()
  pool = createComputePool({ threads: 1, clock: systemClock })
  runtime = await bed.open({ pool })
  await runtime.start()
  folder = mkdtempSync(join(tmpdir(), 'sweepmill-strategies-'))
  file = join(folder, 'mine.ts')
  writeFileSync(file, MINE)
})
afterEach(async () => {
  await bed.close()
  await pool.close()
  rmSync(folder, { recursive: true, force: true })
})

async function add(strategy: string, params: Record<string, unknown> = {}, name?: string): Promise<StrategyView & { created: boolean }> {
  const request: StrategyRequest = { strategy, params, name }
  return runtime.backend.strategies.add(await draftStrategy(request, { pool, clock: systemClock, strategyDir: null }))
}

interface Ran { readonly code: number; readonly document: Record<string, unknown> & { readonly error?: { readonly code: string; readonly message: string } } }

function sweepmill(...args: string[]): Promise<Ran> {
  return withEnvironment({}, ...args)
}

function withEnvironment(environment: Readonly<Record<string, string>>, ...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(packageRoot, 'dist', 'src', 'cli', 'main.js'), ...args, '--json'], { env: { ...process.env, ...bed.environment, WORKER_THREADS: '1', ...environment } },
      (error, stdout) => { resolve({ code: error === null ? 0 : Number(error.code), document: JSON.parse(stdout) as Ran['document'] }) })
  })
}

test('a name has versions, the same content is the same id, and an id means one thing', async () => {
  const first = await add('sma-cross', { fast: 5 }, 'quick')
  expect(first).toMatchObject({ strategy_id: 1, name: 'quick', strategy: 'sma-cross', version: 1, params: { fast: 5, slow: 20 }, source_hash: null, created: true })
  expect(await add('sma-cross', { slow: 20, fast: 5 }, 'quick')).toEqual({ ...first, created: false })
  expect(await add('sma-cross', { fast: 6 }, 'quick')).toMatchObject({ strategy_id: 2, version: 2 })
  expect(await add('ema-cross', { fast: 5 }, 'quick')).toMatchObject({ strategy_id: 3, version: 3, strategy: 'ema-cross' })
  expect(await add('sma-cross', { fast: 5 })).toMatchObject({ name: 'sma-cross', version: 1 })
  const mine = await add(file)
  expect(mine).toMatchObject({ name: 'my-breakout', strategy: 'my-breakout', version: 1, params: { period: 20 }, source_hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string })
  writeFileSync(file, MINE.replace('period !== 13', 'period !== 14'))
  const changed = await add(file)
  expect(changed).toMatchObject({ name: 'my-breakout', version: 2 })
  expect(changed.source_hash).not.toBe(mine.source_hash)
  expect(await bed.sql('select source_hash from strategy_sources')).toHaveLength(2)
  writeFileSync(file, MINE)
  expect(await add(file)).toEqual({ ...mine, created: false })

  const { strategies } = runtime.backend
  const list = await strategies.list()
  expect(list.built_in.find((one) => one.name === 'sma-cross')?.params['fast']).toEqual({ min: 2, max: 200, step: 1, default: 10 })
  expect(list.stored.map((one) => [one.name, one.version])).toEqual([['my-breakout', 2], ['my-breakout', 1], ['quick', 3], ['quick', 2], ['quick', 1], ['sma-cross', 1]])
  expect(await strategies.show('quick')).toMatchObject({ strategy_id: 3, version: 3, ranges: { slow: { max: 1000 } }, versions: [{ version: 3 }, { version: 2 }, { version: 1 }] })
  expect(await strategies.show('1')).toMatchObject({ strategy_id: 1, version: 1, params: { fast: 5, slow: 20 } })
  expect(await strategies.show('my-breakout')).toMatchObject({ version: 2, ranges: { period: { min: 5, max: 200, step: 1, default: 20 } } })
  expect(await strategies.show('buy-and-hold')).toMatchObject({ strategy_id: null, ranges: {}, versions: [] })
  await bed.sql('delete from strategy_sources')
  expect(await strategies.show('my-breakout')).toMatchObject({ ranges: null })
})

test('many at once leave no gap in the versions', async () => {
  const added = await Promise.all([3, 4, 5, 6, 3, 4, 5, 6].map((fast) => add('sma-cross', { fast }, 'quick')))
  expect(added.filter((one) => one.created).map((one) => one.version).sort((a, b) => a - b)).toEqual([1, 2, 3, 4])
  expect(new Set(added.map((one) => one.strategy_id)).size).toBe(4)
})

test('rows that were numbered by hand get versions when the schema is brought up to date', async () => {
  const [, up = '', down = ''] = readFileSync(join(packageRoot, 'src', 'store', 'migrations', '0007_strategies.sql'), 'utf8').split(/-- (?:Up|Down) Migration/)
  const statements = async (text: string): Promise<void> => { for (const one of text.replaceAll(/--.*/g, '').split(';').filter((part) => /\w/.test(part))) await bed.sql(one) }
  await statements(down)
  await bed.sql("insert into strategies (name, version) values ('a', 1), ('b', 1), ('a', 1), ('a', 7)")
  await statements(up)
  expect(await bed.sql('select name, version from strategies order by strategy_id')).toEqual([{ name: 'a', version: 1 }, { name: 'b', version: 1 }, { name: 'a', version: 2 }, { name: 'a', version: 3 }])
})

test.each([
  ['smacross', {}, undefined, 'STRATEGY_UNKNOWN', /did you mean "sma-cross"/], ['sma-cross', { fast: 1 }, undefined, 'PARAM_INVALID', /outside its range/],
  ['sma-cross', { fat: 5 }, undefined, 'PARAM_INVALID', /did you mean "fast"/], ['sma-cross', { fast: 'five' }, undefined, 'PARAM_INVALID', /must be a number/],
  ['sma-cross', { fast: 50 }, undefined, 'PARAM_INVALID', /constraint/], ['sma-cross', {}, '12', 'SPEC_INVALID', /cannot name/], ['sma-cross', {}, 'ema-cross', 'SPEC_INVALID', /built in/],
  ['./none.ts', {}, undefined, 'FILE_NOT_FOUND', /none\.ts/], ['MINE', { period: 13 }, undefined, 'PARAM_INVALID', /constraint/], ['BROKEN', {}, undefined, 'STRATEGY_INVALID', /mine\.ts:1/],
])('%s %j as %s is refused: %s', async (strategy, params, name, code, sentence) => {
  if (strategy === 'BROKEN') writeFileSync(file, 'export default {')
  await expect(add(['MINE', 'BROKEN'].includes(strategy) ? file : strategy, params, name)).rejects.toMatchObject({ code, message: expect.stringMatching(sentence) as string })
  expect(await bed.sql('select 1 from strategies')).toEqual([])
})

test('a task names a strategy by its number, over HTTP, and needs no file', async () => {
  const mine = await add(file, { period: 30 })
  const direct = await runtime.backend.submit({ taskType: TaskType.BACKTEST, roots: null, data: { file: SAMPLE, strategy: { name: file, params: { period: 30 } } } })
  const wanted = await runtime.backend.wait(direct.taskId)
  rmSync(file)
  const server = await createHttpServer({
    backend: runtime.backend, metrics: runtime.metrics, log: createLogger({ level: 'silent', workerName: 'test' }), version: 'test',
    config: { httpHost: '127.0.0.1', httpPort: 0, apiTokens: [], dataRoots: [SAMPLES] },
  })
  try {
    const post = async (url: string, payload: object): Promise<{ status: number; body: { task_id?: string; error?: { code: string } } }> => {
      const reply = await server.app.inject({ method: 'POST', url, payload })
      return { status: reply.statusCode, body: reply.json() }
    }
    const { status, body } = await post('/api/backtests', { file: 'sp500-daily.csv', strategy_id: mine.strategy_id })
    expect(status).toBe(202)
    const task = await runtime.backend.wait(body.task_id ?? '')
    expect(task).toMatchObject({ status: 'completed', data: { strategy: { name: 'my-breakout', params: { period: 30 } }, strategy_hash: mine.source_hash } })
    expect(task.result).toEqual(wanted.result)
    const sweep = await post('/api/optimizations', { file: 'sp500-daily.csv', strategy_id: mine.strategy_id, space: { period: { min: 10, max: 12 } } })
    expect(await runtime.backend.wait(sweep.body.task_id ?? '')).toMatchObject({ status: 'completed', result: { trials: 3 } })
    for (const [id, code] of [[99, 'STRATEGY_UNKNOWN'], ['one', 'SPEC_INVALID'], [2 ** 40, 'STRATEGY_UNKNOWN'], [null, 'SPEC_INVALID']] as const) {
      expect(await post('/api/backtests', { file: 'sp500-daily.csv', strategy_id: id })).toMatchObject({ status: 400, body: { error: { code } } })
    }
    expect(await post('/api/backtests', { file: 'sp500-daily.csv', strategy_id: 1, strategy: { name: 'sma-cross' } })).toMatchObject({ status: 400, body: { error: { code: 'SPEC_INVALID' } } })
    await bed.sql('delete from strategy_sources')
    expect(await post('/api/backtests', { file: 'sp500-daily.csv', strategy_id: mine.strategy_id })).toMatchObject({ status: 400, body: { error: { code: 'STRATEGY_UNKNOWN' } } })
  } finally {
    await server.close()
  }
})

test('a schedule pins what the number stands for; a row written by hand is made of what it is called', async () => {
  const mine = await add(file, { period: 40 })
  const scheduled = await runtime.backend.schedules.add('nightly', { cron: '0 0 1 1 *', timeZone: 'UTC' }, { taskType: TaskType.BACKTEST, roots: null, data: { file: SAMPLE, strategy_id: mine.strategy_id } })
  expect(scheduled.data).toMatchObject({ strategy: { name: 'my-breakout', params: { period: 40 } }, strategy_hash: mine.source_hash })
  const [row] = await bed.sql<{ strategy_id: number }>("insert into strategies (name, params) values ('sma-cross', '{\"fast\": 7}') returning strategy_id")
  const { taskId } = await runtime.backend.submit({ taskType: TaskType.BACKTEST, roots: null, data: { file: SAMPLE, strategy_id: row?.strategy_id } })
  expect(await runtime.backend.wait(taskId)).toMatchObject({ status: 'completed', data: { strategy: { name: 'sma-cross', params: { fast: 7 } } } })
})

test('from the command line: add, list, show, and backtests by flag and by spec', async () => {
  const added = await sweepmill('strategies', 'add', file, '--set', 'period=25', '--name', 'breakout-25')
  expect(added).toMatchObject({ code: 0, document: { strategy_id: 1, name: 'breakout-25', strategy: 'my-breakout', version: 1, params: { period: 25 }, created: true } })
  rmSync(file)
  expect((await sweepmill('strategies', 'list')).document).toMatchObject({ built_in: expect.arrayContaining([expect.objectContaining({ name: 'sma-cross' })]) as unknown[], stored: [{ strategy_id: 1, name: 'breakout-25' }] })
  expect((await sweepmill('strategies', 'show', 'breakout-25')).document).toMatchObject({ strategy_id: 1, ranges: { period: { min: 5 } }, source_hash: added.document['source_hash'] })
  expect(await sweepmill('strategies', 'show', 'breakout-52')).toMatchObject({ code: 2, document: { error: { code: 'STRATEGY_UNKNOWN', message: expect.stringContaining('did you mean "breakout-25"') as string } } })
  const byFlag = await sweepmill('backtest', '--data', SAMPLE, '--strategy-id', '1')
  expect(byFlag).toMatchObject({ code: 0, document: { status: 'completed', data: { strategy: { name: 'my-breakout', params: { period: 25 } } } } })
  const spec = join(folder, 'spec.json')
  writeFileSync(spec, JSON.stringify({ file: SAMPLE, strategy_id: 1 }))
  const bySpec = await sweepmill('backtest', '--spec', spec)
  expect(bySpec.document['result']).toEqual(byFlag.document['result'])
  expect(await sweepmill('backtest', '--data', SAMPLE, '--strategy-id', '9')).toMatchObject({ code: 2, document: { error: { code: 'STRATEGY_UNKNOWN' } } })
})

test('files of STRATEGY_DIR are listed, and run by name; what they throw has file and line, bar by bar too', async () => {
  const env = { STRATEGY_DIR: folder }
  writeFileSync(join(folder, 'torn.ts'), 'export default {')
  writeFileSync(join(folder, 'sma-cross.ts'), MINE)
  const bars = (body: string): string => `import { defineStrategy } from 'sweepmill'
export default defineStrategy({
  name: 'held', params: { hold: { min: 1, max: 99, step: 1, default: 9 } },
  onBar(ctx) {
    ${body}
  },
})`
  writeFileSync(join(folder, 'held.ts'), bars('if (ctx.position === 0) ctx.enterLong(); else if (ctx.barsHeld >= ctx.params.hold) ctx.exitLong()'))
  expect((await withEnvironment(env, 'strategies', 'list')).document['files']).toEqual([
    { name: 'held', file: join(folder, 'held.ts'), params: { hold: { min: 1, max: 99, step: 1, default: 9 } }, error: null },
    { name: 'mine', file, params: { period: { min: 5, max: 200, step: 1, default: 20 } }, error: null },
    { name: 'torn', file: join(folder, 'torn.ts'), params: null, error: expect.stringContaining('torn.ts:1') as string },
  ])
  // Decided at a close, filled at the next open: 22 bars from entry to entry.
  const run = await withEnvironment(env, 'backtest', '--data', SAMPLE, '--strategy', 'held', '--set', 'hold=20')
  expect(run).toMatchObject({ code: 0, document: { status: 'completed', result: { total_trades: 232 } } })
  const sweep = await withEnvironment(env, 'sweep', '--data', SAMPLE, '--strategy', 'held', '--param', 'hold=10:30:10')
  expect(sweep).toMatchObject({ code: 0, document: { trials: 3 } })
  writeFileSync(join(folder, 'held.ts'), bars('if (ctx.bar === 7) (null as any).foo()'))
  expect(await withEnvironment(env, 'backtest', '--data', SAMPLE, '--strategy', 'held')).toMatchObject({
    code: 2, document: { error: { code: 'STRATEGY_FAILED', message: expect.stringMatching(/on bar 7 \(2000-01-12T00:00:00Z\) for .*\(at held\.ts:5:\d+\)$/) as string } },
  })
  writeFileSync(join(folder, 'node.ts'), "import { readFileSync } from 'node:fs'\nexport default readFileSync")
  expect(await withEnvironment(env, 'backtest', '--data', SAMPLE, '--strategy', 'node')).toMatchObject({ code: 2, document: { error: { code: 'STRATEGY_INVALID', message: expect.stringMatching(/node\.ts:1:\d+.*nothing of Node/) as string } } })
})
