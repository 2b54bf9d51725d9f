import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.js'
import { SweepmillError } from '../../../src/base/errors.js'
import { exportCommand } from '../../../src/cli/interruption.js'
import { runProgram } from '../../../src/cli/program.js'
import { FakeWorkbench } from './fake-workbench.js'

let folder: string
let data: string
let bench: FakeWorkbench

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sweepmill-cli-'))
  data = join(folder, 'bars.csv')
  writeFileSync(data, 'date,open,high,low,close,volume\n')
  bench = new FakeWorkbench()
})
afterEach(() => { rmSync(folder, { recursive: true }) })

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  readonly document: unknown
}

async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  let stdout = ''
  let stderr = ''
  const code = await runProgram(args, {
    env, clock: systemClock, version: '0.0.0-test', openWorkbench: bench.open,
    stdout: { write: (text) => { stdout += text } }, stderr: { write: (text) => { stderr += text } },
  })
  return { code, stdout, stderr, document: args.includes('--json') && stdout !== '' ? JSON.parse(stdout) as unknown : null }
}

const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length))

const spec = (json: unknown): string => {
  const path = join(folder, 'spec.json')
  writeFileSync(path, typeof json === 'string' ? json : JSON.stringify(json))
  return path
}

describe('import', () => {
  const flags = ['--exchange', 'binance', '--symbol', 'BTCUSDT', '--timeframe', '60m']

  test('reads the first file before it connects, and stores under one name of the timeframe', async () => {
    const ran = await run(['import', data, data, ...flags, '--json'])
    expect(ran.code).toBe(0)
    expect(bench.calls).toEqual(['open', `read ${data}`, 'connect client', `read ${data}`, 'close'])
    expect(bench.backend.imported).toEqual(['binance BTCUSDT 1h', 'binance BTCUSDT 1h'])
    expect(ran.document).toMatchObject({ series: { exchange: 'binance', symbol: 'BTCUSDT', timeframe: '1h' }, bars_read: 0, files: [{ file: data }, {}], quality: { timeframe: '1h' } })
    expect((await run(['import', data, ...flags])).stdout).toMatch(/gaps +none/)
    expect((await run(['import', data, ...flags, '--repair'])).stdout).toContain('7 bars were made up')
  })

  test('series are listed, and shown by exchange, symbol and timeframe', async () => {
    expect((await run(['series', 'list'])).stdout).toContain('sweepmill import')
    expect((await run(['series', 'list', '--json'])).document).toEqual({ series: [] })
    expect((await run(['series', 'show', 'binance/BTC/USDT/60m', '--json'])).document).toMatchObject({ exchange: 'binance', symbol: 'BTC/USDT', timeframe: '1h', months: [] })
    expect((await run(['series', 'show', 'binance/BTCUSDT/1h'])).stdout).toContain('not checked')
    expect((await run(['series', 'history', 'binance/BTCUSDT/60m', '--json'])).document).toEqual({ series: { exchange: 'binance', symbol: 'BTCUSDT', timeframe: '1h' }, revisions: [] })
    expect((await run(['series', 'restore', 'binance/BTCUSDT/1h', '--revision', '3', '--json'])).document).toMatchObject({ restored: 3, revision: 4 })
    expect((await run(['series', 'remove', 'binance/BTCUSDT/1h'])).stdout).toContain('"sweepmill series restore binance/BTCUSDT/1h --revision 1" brings it back')
    for (const bad of [['restore', 'binance/BTCUSDT/1h'], ['restore', 'binance/BTCUSDT/1h', '--revision', '0'], ['remove'], ['history', 'BTCUSDT']]) {
      expect(await run(['series', ...bad, '--json'])).toMatchObject({ code: 2, document: { error: { code: 'USAGE' } } })
    }
    expect((await run(['series', 'export', 'binance/BTCUSDT/1h', '--out', join(folder, 's.parquet'), '--json'])).document).toMatchObject({ written: join(folder, 's.parquet'), bars: 1, notes: [] })
    expect(readFileSync(join(folder, 's.parquet'), 'utf8')).toBe('{"kind":"parquet","gzip":false}\n')
    expect(await run(['series', 'export', 'binance/BTCUSDT/1h'])).toMatchObject({ code: 0, stdout: '{"kind":"csv","gzip":false}\n' })
    expect(await run(['series', 'export', 'binance/BTCUSDT/1h', '--json'])).toMatchObject({ code: 2, document: { error: { code: 'USAGE' } } })
    expect(await run(['series', 'show', 'BTCUSDT', '--json'])).toMatchObject({ code: 2, document: { error: { code: 'USAGE' } } })
  })

  test.each([
    ['an unknown timeframe', ['--timeframe', 'hourly'], 'SPEC_INVALID'], ['a symbol with blanks', ['--symbol', 'BTC USDT'], 'USAGE'],
    ['a slash in the exchange', ['--exchange', 'a/b'], 'USAGE'],
  ])('%s opens nothing', async (_, more, code) => {
    expect(await run(['import', data, ...flags, ...more, '--json'])).toMatchObject({ code: 2, document: { error: { code } } })
    expect(bench.calls).toEqual([])
  })

  test('a folder, a file that is not there and a missing flag open nothing', async () => {
    expect(await run(['import', folder, ...flags, '--json'])).toMatchObject({ code: 2, document: { error: { code: 'FILE_NOT_FOUND', message: expect.stringContaining('is a folder') as string } } })
    expect((await run(['import', data, join(folder, 'no.csv'), ...flags])).code).toBe(2)
    expect((await run(['import', data, '--exchange', 'x', '--symbol', 'y'])).code).toBe(2)
    expect(bench.calls).toEqual([])
  })

  test('a file that is refused starts no service', async () => {
    bench.refusal = new SweepmillError('DATA_INVALID', 'no')
    expect((await run(['import', data, ...flags])).code).toBe(2)
    expect(bench.calls).toEqual(['open', `read ${data}`, 'close'])
  })
})

describe('flags become a spec', () => {
  test('of a backtest', async () => {
    const { code } = await run([
      'backtest', '--data', data, '--strategy', 'sma-cross', '--set', 'fast=10', '--set', 'slow=20', '--start', '2010-01-01', '--end', '2012-01-01',
      '--adjust', '--cash', '5000', '--fee-rate', '0.002', '--slippage', '1e-4', '--direction', 'both', '--fill', 'next-open',
      '--execution', 'sizing.whole_units=true', '--execution', 'stop_loss=0.05', '--priority', 'low', '--timeout', '60',
    ])
    expect(code).toBe(0)
    expect(bench.checked).toEqual([{
      taskType: 'backtest_workflow', priority: 'low', timeoutSeconds: 60, roots: null, fresh: false,
      data: {
        file: data, strategy: { name: 'sma-cross', params: { fast: 10, slow: 20 } }, start_date: '2010-01-01', end_date: '2012-01-01', adjust: true,
        execution: {
          initial_cash: 5000, fee_rate: 0.002, slippage: 0.0001, direction: 'both', fill: 'next_open', sizing: { whole_units: true }, stop_loss: 0.05,
        },
      },
    }])
    expect(bench.backend.requests).toEqual(bench.checked)
    expect(bench.calls).toEqual(['open', 'check', 'connect session', 'wait', 'close'])
  })

  test('of stored bars, which a file of the spec gives way to', async () => {
    const flags = ['--symbol', 'BTCUSDT', '--timeframe', '1h', '--strategy', 'sma-cross']
    await run(['backtest', ...flags, '--exchange', 'bybit', '--start', '2024-01-01'])
    await run(['backtest', '--spec', spec({ file: data, data_hash: 'x' }), ...flags])
    await run(['backtest', '--spec', spec({ symbol: 'BTCUSDT', timeframe: '1h', exchange: 'bybit' }), '--timeframe', '4h', '--strategy', 'sma-cross'])
    expect(bench.checked.map((one) => one.data)).toEqual([
      { symbol: 'BTCUSDT', timeframe: '1h', exchange: 'bybit', start_date: '2024-01-01', strategy: { name: 'sma-cross' } },
      { symbol: 'BTCUSDT', timeframe: '1h', strategy: { name: 'sma-cross' } },
      { symbol: 'BTCUSDT', timeframe: '4h', exchange: 'bybit', strategy: { name: 'sma-cross' } },
    ])
    expect(await run(['backtest', '--data', data, ...flags, '--json'])).toMatchObject({ code: 2, document: { error: { code: 'USAGE' } } })
    expect((await run(['backtest', '--data', data, '--timeframe', '4h'])).stderr).toContain('--timeframe belongs to stored bars')
  })

  test('of a sweep', async () => {
    await run([
      'sweep', '--data', data, '--strategy', 'sma-cross', '--param', 'fast=5:50:1', '--param', 'slow=10,20', '--constraint', 'fast < slow',
      '--objective', 'calmar_ratio', '--objective-direction', 'minimize', '--direction', 'short', '--holdout', '0.3', '--top', '5', '--seed', '7', '--new',
    ])
    expect(bench.checked[0]).toMatchObject({ taskType: 'optimization_workflow', fresh: true })
    expect(bench.checked[0]?.data).toEqual({
      file: data, strategy: { name: 'sma-cross' }, space: { fast: { min: 5, max: 50, step: 1 }, slow: { choices: [10, 20] } }, constraint: 'fast < slow',
      objective: 'calmar_ratio', direction: 'minimize', execution: { direction: 'short' }, holdout: 0.3, top: 5, seed: 7,
    })
  })

  test('flags override the file, key by key', async () => {
    const path = spec({
      symbol: 'GOOG', timeframe: '1d', strategy: { name: 'sma-cross', params: { fast: 10, slow: 20 } },
      execution: { fee_rate: 0.002, sizing: { mode: 'all_in', whole_units: true } }, metrics: { risk_free: 0.01 },
    })
    await run(['backtest', '--spec', path, '--data', data, '--set', 'slow=30', '--fee-rate', '0', '--execution', 'sizing.mode=fraction'])
    expect(bench.checked[0]?.data).toEqual({
      file: data, strategy: { name: 'sma-cross', params: { fast: 10, slow: 30 } },
      execution: { fee_rate: 0, sizing: { mode: 'fraction', whole_units: true } }, metrics: { risk_free: 0.01 },
    })
  })

  test('another strategy comes without the file\'s parameters', async () => {
    await run(['backtest', '--spec', spec({ file: data, strategy: { name: 'sma-cross', params: { fast: 10 } }, strategy_hash: 'ab' }), '--strategy', 'buy-and-hold'])
    expect(bench.checked[0]?.data).toEqual({ file: data, strategy: { name: 'buy-and-hold' } })
  })

  test('a file alone is passed on untouched, unknown keys included', async () => {
    const json = { file: data, strategy: { name: 'x' }, surprise: [1], execution: 'odd' }
    await run(['backtest', '--spec', spec(json)])
    expect(bench.checked[0]?.data).toEqual(json)
  })
})

describe('what is wrong is said before anything starts', () => {
  const cases: readonly [string, (where: string) => readonly string[], string, RegExp][] = [
    ['no data', () => ['backtest'], 'USAGE', /--data FILE\.csv/],
    ['data that is not there', (at) => ['backtest', '--data', join(at, 'none.csv')], 'FILE_NOT_FOUND', /none\.csv does not exist/],
    ['a folder as data', (at) => ['backtest', '--data', at], 'FILE_NOT_FOUND', /is a folder/],
    ['a spec that is not there', (at) => ['backtest', '--spec', join(at, 'none.json')], 'FILE_NOT_FOUND', /none\.json/],
    ['data named by a spec that is not there', () => ['backtest', '--spec', spec({ file: 'none.csv' })], 'FILE_NOT_FOUND', /none\.csv/],
    ['a spec that is no JSON', () => ['backtest', '--spec', spec('{"a":')], 'SPEC_INVALID', /is not JSON/],
    ['a spec that is no object', () => ['backtest', '--spec', spec([])], 'SPEC_INVALID', /one JSON object/],
    ['--set without a strategy', () => ['backtest', '--data', data, '--set', 'a=1'], 'USAGE', /--strategy/],
    ['an unknown command', () => ['bactest'], 'USAGE', /Did you mean backtest/],
    ['an unknown command with --help', () => ['foo', '--help'], 'USAGE', /There is no command "foo"\. Commands: demo, /],
    ['an unknown command after --help', () => ['--help', 'bactest'], 'USAGE', /Did you mean backtest/],
    ['an unknown command with -h and --version', () => ['foo', '-h', '--version'], 'USAGE', /no command "foo"/],
    ['an unknown command within a group, with --help', () => ['tasks', 'lst', '--help'], 'USAGE', /no command "tasks lst"\. Did you mean tasks list\? Commands: list, show/],
    ['help of an unknown command', () => ['help', 'foo'], 'USAGE', /no command "foo"/],
    ['help of an unknown command within a group', () => ['queue', 'help', 'stop'], 'USAGE', /no command "queue stop"/],
    ['a pause of nothing', () => ['queue', 'pause'], 'USAGE', /which priority to pause: high, medium, low, or --all/],
    ['a resume of nothing', () => ['queue', 'resume'], 'USAGE', /which priority to resume: .*--all/],
    ['an unknown option', () => ['backtest', '--strateg', 'x'], 'USAGE', /Did you mean --strategy/],
    ['a number that is none', () => ['backtest', '--cash', 'much'], 'USAGE', /--cash/],
    ['the objective\'s direction under the wrong name', () => ['sweep', '--direction', 'maximize'], 'USAGE', /--objective-direction maximize/],
    ['an unknown way', () => ['sweep', '--objective-direction', 'up'], 'USAGE', /maximize, minimize/],
    ['one argument too many', () => ['config', 'x'], 'USAGE', /Too many arguments/],
    ['a missing argument', () => ['tasks', 'show'], 'USAGE', /missing required argument 'id'/i],
    ['an id that is none', () => ['tasks', 'show', 'abc'], 'TASK_NOT_FOUND', /"abc"/],
    ['an unknown status', () => ['tasks', 'list', '--status', 'gone'], 'USAGE', /choices are pending/],
    ['a limit that is none', () => ['tasks', 'list', '--limit', '0'], 'USAGE', /1 to 1000/],
    ['a time that is none', () => ['tasks', 'list', '--before', 'yesterday'], 'USAGE', /ISO 8601/],
    ['an output in no folder', (at) => ['backtest', '--data', data, '--trades', join(at, 'no', 't.csv')], 'USAGE', /--trades .* does not exist/],
    ['a folder as output', (at) => ['backtest', '--data', data, '--equity', at], 'USAGE', /--equity .* is a folder/],
    ['the input as output', () => ['backtest', '--data', data, '--trades', data], 'USAGE', /--trades .* is the input/],
    ['an ending that is not known', (at) => ['backtest', '--data', data, '--trades', join(at, 't.xlsx')], 'USAGE', /ends with \.xlsx.*\.csv, \.csv\.gz, \.json, \.json\.gz, \.parquet/],
    ['a table for a report', (at) => ['sweep', '--data', data, '--report', join(at, 'r.csv')], 'USAGE', /ends with \.csv.*\.html/],
    ['a packed Parquet', (at) => ['sweep', '--data', data, '--trials', join(at, 'a.parquet.gz')], 'USAGE', /ends with \.parquet\.gz/],
    ['two outputs on standard output', () => ['backtest', '--data', data, '--trades', '-', '--equity', '/dev/stdout'], 'USAGE', /--trades goes to standard output too/],
    ['two outputs in one file', (at) => ['backtest', '--data', data, '--trades', join(at, 'x'), '--equity', join(at, 'x')], 'USAGE', /is --trades too/],
    ['an output nobody waits for', (at) => ['sweep', '--data', data, '--detach', '--trials', join(at, 'x')], 'USAGE', /--detach/],
    ['a health address that is none', () => ['health', '--url', 'nowhere'], 'USAGE', /--url/],
  ]
  test.each(cases)('%s', async (_what, args, code, sentence) => {
    const given = args(folder)
    const told = await run(given)
    expect([told.code, told.stdout]).toEqual([2, ''])
    expect(told.stderr).toMatch(sentence)
    expect(told.stderr).toContain(`[${code}]`)
    const asJson = await run([...given, '--json'])
    expect([asJson.code, asJson.stderr]).toEqual([2, ''])
    expect(asJson.document).toMatchObject({ error: { code, message: expect.stringMatching(sentence) as string } })
    expect(bench.calls).toEqual([])
  })

  test('bad environment values, before the workbench is opened', async () => {
    const told = await run(['backtest', '--data', data, '--json'], { REDIS_URL: 'localhost:6379' })
    expect([told.code, bench.calls]).toEqual([2, []])
    expect(told.document).toMatchObject({ error: { code: 'CONFIG_INVALID', details: { variable: 'REDIS_URL' } } })
    expect((await run(['worker'], { HTTP_HOST: '0.0.0.0' })).stderr).toMatch(/API_TOKENS/)
    expect(bench.calls).toEqual([])
  })

  test('what the check finds, before a service is connected', async () => {
    bench.refusal = new SweepmillError('DATA_INVALID', 'Line 7 has a negative price.', { details: { line: 7 } })
    const told = await run(['backtest', '--data', data, '--strategy', 'sma-cross', '--trades', join(folder, 't.csv'), '--json'])
    expect(told.code).toBe(2)
    expect(told.document).toEqual({ error: { code: 'DATA_INVALID', message: 'Line 7 has a negative price.', details: { line: 7 } } })
    expect(bench.calls).toEqual(['open', 'check', 'close'])
    expect(readdirSync(folder)).toEqual(['bars.csv'])
  })
})

describe('results', () => {
  test('a backtest: the task as JSON, or its headline; files where asked', async () => {
    bench.outcome = { status: 'completed', processing_time_ms: 12, result: { total_return: 25.5, win_rate: 0.65, total_trades: 42, sharpe_ratio: null, null_reasons: { sharpe_ratio: 'no variance' }, final_equity: 12550, warnings: ['prices are not adjusted'] } }
    const args = ['backtest', '--data', data, '--strategy', 'sma-cross']
    const files = ['trades', 'equity', 'report'].map((kind) => [`--${kind}`, join(folder, kind)]).flat()
    const asJson = await run([...args, ...files, '--json'])
    expect([asJson.code, asJson.stderr]).toEqual([0, ''])
    expect(asJson.document).toMatchObject({ status: 'completed', result: { final_equity: 12550 }, processing_time_ms: 12 })
    expect(readdirSync(folder).sort()).toEqual(['bars.csv', 'equity', 'report', 'trades'])
    expect(readFileSync(join(folder, 'trades'), 'utf8')).toBe('trades\n')
    const told = await run(args)
    for (const line of [/total return +25\.50 %/, /win rate +65 %/, /trades +42$/m, /final equity +12,550/, /Sharpe +- \(no variance\)/, /! prices are not adjusted/]) {
      expect(told.stdout).toMatch(line)
    }
    expect(told.stdout).not.toContain('\u001B')
  })

  test('a sweep: flat JSON, or a table of the best', async () => {
    const top = [{ trial: 7, params: { slow: 20, fast: 5 }, metrics: { sharpe_ratio: 1.25, total_return: 80 }, held_out: { sharpe_ratio: 0.5, total_return: 3 } }]
    bench.outcome = { status: 'completed', processing_time_ms: 2000, result: { trials: 5000, reused_chunks: 3, result_hash: 'abc'.repeat(22), best: top[0], top } }
    const args = ['sweep', '--data', data, '--strategy', 'sma-cross', '--param', 'fast=5:50:1', '--param', 'slow=20']
    const asJson = await run([...args, '--trials', join(folder, 'all.csv'), '--json'])
    expect(asJson.document).toMatchObject({
      task_id: expect.any(String) as string, status: 'completed', trials: 5000, reused_chunks: 3, result_hash: 'abc'.repeat(22), best: { trial: 7, params: { fast: 5 } }, top,
    })
    // The task as `tasks show` and GET have it, with its result's keys beside it.
    const { task_id: taskId } = asJson.document as { task_id: string }
    const shown = (await run(['tasks', 'show', taskId, '--json'])).document as Record<string, unknown>
    expect(Object.keys(shown)).toEqual([...Object.keys(asJson.document as object), 'events', 'checkpoints', 'sagas'])
    expect(asJson.document).toMatchObject({ task_type: 'optimization_workflow', data: {}, result: { trials: 5000, best: { trial: 7 } } })
    expect(readFileSync(join(folder, 'all.csv'), 'utf8')).toBe('trial,fast\n0,5\n')
    // More than the task's result holds comes from the ranking.
    expect((await run([...args, '--top', '2', '--json'])).document).toMatchObject({ trials: 5000, top: [{ trial: 7 }, { trial: 9 }] })
    const told = await run(args)
    expect(told.stdout).toMatch(/trials +5,000[^]*result hash +abcabcabcabc$/m)
    expect(widest(told.stdout)).toBeLessThanOrEqual(80)
    // A resumed sweep has no rate: part of its trials were run in another one.
    expect(told.stdout).not.toMatch(/trials per second/)
    expect(told.stdout).toMatch(/# +trial +fast +slow +Sharpe +return % +held-out Sharpe +held-out return %/)
    expect((await run([...args, '--wide'])).stdout).toMatch(/# +trial +fast +slow +sharpe_ratio +total_return % +held-out sharpe_ratio +held-out return %/)
    expect(told.stdout).toMatch(/1 +7 +5 +20 +1\.2500 +80 +0\.5000 +3$/m)
    expect(told.stdout).not.toContain('Wrote')
    bench.outcome = { status: 'completed', processing_time_ms: 2000, result: { trials: 5000, reused_chunks: 0, top } }
    expect((await run([...args, '--trials', join(folder, 'all.csv')])).stdout).toMatch(/trials per second +2,500[\s\S]*\n\nWrote .*all\.csv\n$/)
  })

  test('a task that failed is an error with its code; bad input found late is still exit 2', async () => {
    const error = { code: 'STRATEGY_FAILED', message: 'signals threw: x is not defined', details: { bar: 3 } } as const
    bench.outcome = { status: 'failed', error }
    const told = await run(['backtest', '--data', data, '--strategy', './mine.mjs', '--trades', join(folder, 't'), '--json'])
    expect(told.code).toBe(2)
    expect(told.document).toMatchObject({ error: { ...error, details: { bar: 3, status: 'failed', task_id: expect.any(String) as string } } })
    expect(readdirSync(folder)).toEqual(['bars.csv'])
    bench.outcome = { status: 'failed', error: { code: 'PARAM_INVALID', message: 'fast is out of range.' } }
    expect((await run(['backtest', '--data', data])).code).toBe(2)
    bench.outcome = { status: 'failed', error: { code: 'COMPUTE_FAILED', message: 'It would fail again.' } }
    expect((await run(['backtest', '--data', data])).code).toBe(1)
    bench.outcome = { status: 'cancelled' }
    expect(await run(['backtest', '--data', data])).toMatchObject({ code: 1, stderr: expect.stringContaining('[TASK_CANCELLED]') as string })
  })

  test('--detach queues and returns', async () => {
    const told = await run(['sweep', '--data', data, '--detach', '--json'])
    expect(told).toMatchObject({ code: 0, document: { task_id: expect.any(String) as string, status: 'queued', created: true } })
    expect(bench.calls).toEqual(['open', 'check', 'connect client', 'close'])
  })

  test('who only queues is told when no worker is there to take it', async () => {
    const detached = ['sweep', '--data', data, '--detach']
    expect(await run(detached)).toMatchObject({ stderr: '', stdout: expect.stringContaining('the running worker takes it') as string })
    expect((await run([...detached, '--json'])).document).toMatchObject({ worker_running: true })
    // A session runs its own task alone, and a worker that fell silent runs none.
    for (const workers of [[], [{ role: 'session', silent_ms: 0 }], [{ role: 'worker', silent_ms: 60_000 }]] as const) {
      bench.workers = workers
      const told = await run(detached)
      expect([told.code, told.stderr]).toEqual([0, expect.stringMatching(/^No worker is running: .*"sweepmill worker"/) as string])
      expect(told.stdout).toContain('a worker takes it once one is running')
      expect((await run([...detached, '--json'])).document).toMatchObject({ worker_running: false })
    }
    const { task_id: id } = (await run([...detached, '--json'])).document as { task_id: string }
    await run(['tasks', 'cancel', id])
    expect((await run(['tasks', 'retry', id])).stderr).toContain('No worker is running')
  })

  test('Ctrl-C keeps the task, says so, closes what was open, exits 130', async () => {
    bench.endless = true
    const told = await run(['sweep', '--data', data, '--json'])
    expect(told.code).toBe(130)
    expect(told.document).toMatchObject({ status: 'processing', interrupted: true })
    expect(told.stderr).toMatch(/Interrupted; the task 0190.* is kept[\s\S]*The running worker goes on with it\.[\s\S]*The same command.* goes on where it was/)
    expect(bench.calls.at(-1)).toBe('close')
    expect(process.listenerCount('SIGINT')).toBe(0)
  })

  test('who interrupts is told who works on it, and how to have the files that were asked for', async () => {
    bench.endless = true
    const trials = join(folder, 'all trials.csv')
    const asked = ['sweep', '--data', data, '--trials', trials, '--report', join(folder, 'r.html')]
    const told = await run(asked)
    expect(told.stderr).toMatch(new RegExp(`The running worker goes on[^]*Its files, once it is completed: sweepmill tasks export 0190\\S+ --trials '${trials}' --report ${join(folder, 'r.html')}\\n`))
    expect((await run([...asked, '--json'])).document).toMatchObject({ interrupted: true, worker_running: true, files: expect.stringMatching(/^sweepmill tasks export 0190/) as string })
    expect(readdirSync(folder)).toEqual(['bars.csv'])
    bench.workers = []
    const alone = await run(['backtest', '--data', data, '--json'])
    expect(alone).toMatchObject({ code: 130, document: { worker_running: false, files: null } })
    // A backtest again would be another task: nothing of the same command.
    expect(alone.stderr).toMatch(/^Interrupted; .*\n  No worker is running: it waits until one is started with "sweepmill worker"\.\n  "sweepmill tasks show \S+" shows it, .* ends it\.\n$/)
    const sync = ['sync', '--exchange', 'bybit', '--symbol', 'BTCUSDT', '--timeframe', '1h', '--start', '2024-01-01']
    expect((await run(sync)).stderr).toMatch(/No worker is running[^]*The same command goes on where it was/)
    // The command that the line names writes them.
    bench.endless = false
    const { task_id: id } = (await run(['sweep', '--data', data, '--json'])).document as { task_id: string }
    const [, ...words] = exportCommand(id, { '--trials': join(folder, 'all.csv') })?.split(' ') ?? []
    expect((await run(words)).code).toBe(0)
    expect(readdirSync(folder)).toEqual(['all.csv', 'bars.csv'])
  })

  test('a surprise shows its stack and exits 1', async () => {
    bench.refusal = new TypeError('cannot read x')
    const told = await run(['backtest', '--data', data])
    expect(told.code).toBe(1)
    expect(told.stderr).toMatch(/cannot read x \[INVARIANT\][\s\S]*at /)
  })
})

describe('later', () => {
  test('--delay and --at say when a task may start', async () => {
    const now = Date.now()
    const told = await run(['backtest', '--data', data, '--strategy', 'sma-cross', '--delay', '90s', '--json'])
    const delayed = Date.parse(bench.checked[0]?.notBefore ?? '')
    expect(delayed).toBeGreaterThanOrEqual(now + 90_000)
    expect(delayed).toBeLessThan(now + 120_000)
    // Nobody waits, and no session starts that would have to run it.
    expect(told.document).toMatchObject({ task_id: expect.any(String) as string, status: 'queued', not_before: bench.checked[0]?.notBefore })
    expect(bench.calls).toEqual(['open', 'check', 'connect client', 'close'])
    const { stdout } = await run(['sweep', '--data', data, '--strategy', 'sma-cross', '--param', 'fast=1:2:1', '--at', '2999-01-02T03:04:05'])
    expect(stdout).toContain('not before 2999-01-02T03:04:05.000Z')
    expect(bench.checked[1]?.notBefore).toBe('2999-01-02T03:04:05.000Z')
    expect((await run(['tasks', 'show', '01900000-0000-7000-8000-000000000002'])).stdout).toMatch(/not before +2999-01-02/)
  })

  test.each([
    [['--delay', '5'], /a number and a unit/], [['--delay', 'soon'], /a number and a unit/], [['--delay', '-5m'], /a number and a unit/],
    [['--delay', '11000d'], /ten years at most/], [['--at', 'noon'], /ISO 8601/], [['--at', '5'], /ISO 8601/], [['--at', '2999-02-30'], /ISO 8601/],
    [['--at', '2020-01-01'], /has passed/], [['--delay', '1s', '--at', '2999-01-01'], /one of them/], [['--delay', '1s', '--trades', 'x.csv'], /--delay does not wait/],
  ])('%j is refused before anything starts', async (wrong, why) => {
    expect(await run(['backtest', '--data', data, '--strategy', 'sma-cross', ...wrong])).toMatchObject({ code: 2, stderr: expect.stringMatching(why) as string })
    expect(bench.calls).toEqual([])
  })

  test('schedules are added, listed, paused, resumed and removed', async () => {
    const add = ['schedules', 'add', 'backtest', '--name', 'nightly', '--cron', '0 6 * * 1-5', '--tz', 'Europe/Berlin', '--data', data, '--strategy', 'sma-cross']
    expect((await run([...add, '--json'])).document).toMatchObject({ name: 'nightly', cron: '0 6 * * 1-5', time_zone: 'Europe/Berlin', priority: 'medium' })
    expect(bench.calls).toContain('check')
    expect((await run(['schedules', 'list'])).stdout).toMatch(/nightly +0 6 \* \* 1-5 +Europe\/Berlin +backtest_workflow +2030-01-01 00:00/)
    expect((await run(['schedules', 'pause', 'nightly'])).stdout).toContain('paused')
    expect((await run(['schedules', 'list'])).stdout).toContain('paused')
    expect((await run(['schedules', 'resume', 'nightly', '--json'])).document).toEqual({ name: 'nightly', resumed: true })
    expect((await run(['schedules', 'remove', 'nightly'])).code).toBe(0)
    expect((await run(['schedules', 'remove', 'nightly'])).stderr).toContain('[SCHEDULE_NOT_FOUND]')
    expect(await run(['schedules', 'add', 'backtest', '--data', data])).toMatchObject({ code: 2, stderr: expect.stringContaining('--name') as string })
  })
})

describe('dead letters', () => {
  const ID = '01900000-0000-7000-8000-000000000001'
  const bury = async (): Promise<void> => {
    bench.outcome = { status: 'dead_letter', attempt: 4, error: { code: 'THREAD_LOST', message: 'the thread went away', stack: 'at somewhere' } }
    await run(['backtest', '--data', data, '--strategy', 'sma-cross'])
  }

  test('are listed and shown', async () => {
    expect((await run(['dlq', 'list'])).stdout).toBe('No dead letters.\n')
    await bury()
    expect((await run(['dlq', 'list', '--type', 'backtest_workflow'])).stdout).toMatch(new RegExp(`${ID} +retries_exhausted +THREAD_LOST\n--wide shows last failure, attempts, type too`))
    expect((await run(['dlq', 'list', '--wide'])).stdout).toMatch(new RegExp(`${ID} +backtest_workflow +retries_exhausted +THREAD_LOST +4`))
    expect((await run(['dlq', 'show', ID])).stdout).toMatch(/the thread went away \[THREAD_LOST\][\s\S]*at somewhere/)
    expect(await run(['dlq', 'show', ID.replace('1', '2')])).toMatchObject({ code: 2, stderr: expect.stringContaining('[TASK_NOT_FOUND]') as string })
  })

  test('what is in quarantine is listed beside them', async () => {
    expect((await run(['dlq', 'list', '--quarantine'])).stdout).toBe('Nothing is in quarantine.\n')
    bench.backend.quarantined = [{
      quarantine_id: 1, message_id: '1-1', priority: 'high', reason: 'the bytes do not decode', size_bytes: 3, head_base64: 'AcH/', created_at: '2025-11-05T17:00:00.000Z',
    }]
    expect((await run(['dlq', 'list', '--quarantine'])).stdout).toMatch(/1-1 +high +the bytes do not decode +3 +01c1ff +2025/)
    expect((await run(['dlq', 'list', '--quarantine', '--json'])).document).toEqual({ quarantine: bench.backend.quarantined })
    expect(await run(['dlq', 'list', '--quarantine', '--type', 'x'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--type') as string })
  })

  test.each(['redrive', 'purge'])('%s wants to know which, and a dry run changes nothing', async (verb) => {
    await bury()
    expect(await run(['dlq', verb])).toMatchObject({ code: 2, stderr: expect.stringMatching(/--all[\s\S]*\[USAGE\]/) as string })
    expect(await run(['dlq', verb, 'abc'])).toMatchObject({ stderr: expect.stringContaining('"abc"') as string })
    const done = verb === 'redrive' ? 'redriven' : 'purged'
    expect((await run(['dlq', verb, '--all', '--dry-run', '--json'])).document).toEqual({ dry_run: true, [done]: [ID], not_dead_letters: [] })
    expect((await run(['dlq', verb, ID])).stdout).toContain(`1 dead letter ${done}.`)
    const again = await run(['dlq', verb, ID])
    expect(again).toMatchObject({ code: 1, stdout: expect.stringContaining('0 dead letters') as string, stderr: expect.stringContaining('Not a dead letter') as string })
  })
})

describe('operation', () => {
  test('tasks list, show, cancel, retry', async () => {
    await run(['backtest', '--data', data, '--strategy', 'sma-cross'])
    const [id] = [...bench.backend.rows.keys()]
    expect((await run(['tasks', 'list'])).stdout).toMatch(new RegExp(`${id} +backtest +completed +sma-cross +bars *\n--wide shows priority, took, created too`))
    expect((await run(['tasks', 'list', '--wide'])).stdout).toMatch(new RegExp(`${id} +backtest +completed +sma-cross +bars +2025-11-05T17:00:00Z +1.2 s +high`))
    // A type by the command that makes it, or by its own name.
    for (const type of ['backtest', 'backtest_workflow']) expect((await run(['tasks', 'list', '--type', type, '--json'])).document).toMatchObject({ tasks: [{ task_id: id }] })
    bench.backend.set(String(id), { status: 'processing', progress: { step: 'run_backtest', done: 45, total: 100 } })
    const listed = (await run(['tasks', 'list'])).stdout
    expect(listed).toMatch(/ running 45 %/)
    expect(widest(listed)).toBeLessThanOrEqual(80)
    expect((await run(['tasks', 'show', String(id)])).stdout).toMatch(/status +processing \(running the backtest, 45 %\)/)
    bench.backend.set(String(id), { status: 'completed', progress: null })
    expect((await run(['tasks', 'list', '--json'])).document).toMatchObject({ tasks: [{ task_id: id }] })
    expect((await run(['tasks', 'show', String(id), '--json'])).document).toMatchObject({ task_id: id, events: [], checkpoints: [{ step: 'fetch_data' }] })
    expect((await run(['tasks', 'show', String(id)])).stdout).toContain('"name":"sma-cross"')
    expect(await run(['tasks', 'cancel', String(id)])).toMatchObject({ code: 1, stderr: expect.stringContaining('[STATE_CONFLICT]') as string })
    expect((await run(['tasks', 'retry', String(id), '--json'])).document).toMatchObject({ status: 'pending', generation: 2 })
    expect((await run(['tasks', 'cancel', String(id)])).stdout).toContain('is cancelled')
    // One that a worker handed back waits for the next, which undoes it first.
    await run(['tasks', 'retry', String(id)])
    bench.backend.cancel = (taskId) => bench.backend.task(taskId)
    expect((await run(['tasks', 'cancel', String(id)])).stdout).toContain('is asked to stop: the next worker')
  })

  test('a name and tags are given by the command that submits, listed, and searched by', async () => {
    await run(['backtest', '--data', data, '--strategy', 'sma-cross', '--name', 'January run', '--tag', 'nightly', '--tag', 'desk:fx', '--risk-free', '0.02'])
    expect(bench.backend.requests.at(-1)).toMatchObject({ name: 'January run', tags: ['nightly', 'desk:fx'], data: { metrics: { risk_free: 0.02 } } })
    for (const command of [['sync', '--exchange', 'bybit', '--symbol', 'BTCUSDT', '--timeframe', '1h', '--start', '2024-01-01'], ['cleanup'], ['sweep', '--data', data, '--strategy', 'sma-cross', '--param', 'fast=5:9:1']]) {
      await run([...command, '--detach', '--name', 'x', '--tag', 'y'])
      expect(bench.backend.requests.at(-1)).toMatchObject({ name: 'x', tags: ['y'] })
    }
    const listed = (await run(['tasks', 'list'])).stdout
    expect(listed).toMatch(/task +type +status +strategy +symbol\n/)
    expect(listed).toMatch(/BTCUSDT/)
    expect(widest(listed)).toBeLessThanOrEqual(80)
    expect((await run(['tasks', 'list', '--wide'])).stdout).toMatch(/completed +January run +sma-cross +bars .* nightly desk:fx/)
    // Long names leave room for each other.
    bench.backend.set([...bench.backend.rows.keys()].at(-1)!, { data: { strategy: { name: 'bollinger-reversion' }, file: 'data/sp500-daily-adjusted.csv' }, status: 'completed' })
    const long = (await run(['tasks', 'list'])).stdout
    expect(long).toMatch(/ bollinge… +sp500-dai…\n/)
    expect(widest(long)).toBeLessThanOrEqual(80)
    const [first] = [...bench.backend.rows.keys()]
    expect((await run(['tasks', 'show', String(first)])).stdout).toMatch(/name +January run\n +tags +nightly desk:fx/)
    await run(['tasks', 'list', '--name', 'jan', '--tag', 'a', '--tag', 'b'])
    expect(bench.backend.queries.at(-1)).toMatchObject({ name: 'jan', tags: ['a', 'b'] })
    for (const bad of [['--name', ' '], ['--name', 'x'.repeat(101)], ['--name', 'a\nb'], ['--tag', 'two words'], ['--tag', 'a,b'], ['--tag', '']]) {
      expect(await run(['backtest', '--data', data, '--strategy', 'sma-cross', ...bad])).toMatchObject({ code: 2, stderr: expect.stringContaining(bad[0]!) as string })
    }
  })

  test('tasks export writes what a task left that nobody waited for', async () => {
    await run(['sweep', '--data', data, '--strategy', 'sma-cross', '--param', 'fast=5:50:1', '--detach'])
    const [id] = [...bench.backend.rows.keys()] as [string]
    const files = ['--report', join(folder, 'r.html'), '--trials', join(folder, 'all.csv')]
    expect(await run(['tasks', 'export', id, ...files])).toMatchObject({ code: 1, stderr: expect.stringContaining('is pending') as string })
    bench.backend.set(id, bench.outcome)
    expect((await run(['tasks', 'export', id, ...files, '--json'])).document).toEqual({ task_id: id, written: [join(folder, 'all.csv'), join(folder, 'r.html')] })
    expect(readFileSync(join(folder, 'r.html'), 'utf8')).toBe('report\n')
    expect(readFileSync(join(folder, 'all.csv'), 'utf8')).toBe('trial,fast\n0,5\n')
    expect(await run(['tasks', 'export', id, '--trades', join(folder, 't.csv')])).toMatchObject({ code: 2, stderr: expect.stringContaining('--trades is of a backtest') as string })
    expect(await run(['tasks', 'export', id])).toMatchObject({ code: 2, stderr: expect.stringContaining('add one of --trades') as string })
    expect(await run(['tasks', 'export', id, '--report', join(folder, 'none', 'r.html')])).toMatchObject({ code: 2, stderr: expect.stringContaining('does not exist') as string })
  })

  test('queue pause and resume', async () => {
    expect((await run(['queue', 'pause', 'low', '--json'])).document).toEqual({ paused: ['low'] })
    expect((await run(['queue', 'pause', '--all'])).stdout).toBe('Paused: high, medium, low. "sweepmill queue resume --all" ends it.\n')
    expect((await run(['queue', 'resume', 'high', '--json'])).document).toEqual({ paused: ['medium', 'low'] })
    expect((await run(['queue', 'resume', 'low', '--json'])).document).toEqual({ paused: ['medium'] })
    expect((await run(['queue', 'pause', 'low', 'high', '--json'])).document).toEqual({ paused: ['high', 'medium', 'low'] })
    expect((await run(['queue', 'resume', 'all'])).stdout).toContain('Nothing is paused.')
    expect(await run(['queue', 'pause', 'urgent'])).toMatchObject({ code: 2, stderr: expect.stringContaining('high, medium, low, all') as string })
  })

  test('queue stats and migrate', async () => {
    expect((await run(['queue', 'stats'])).stdout).toMatch(/low +3 +4 +paused[\s\S]*delayed +5[\s\S]*w +worker +h +1 +2/)
    expect((await run(['queue', 'stats', '--json'])).document).toMatchObject({ dead_letters: 6 })
    expect((await run(['migrate'])).stdout).toBe('Applied: 0001_first, 0002_next\nNew tables: tasks\nNew in sweeps: top\nThe schema is up to date: 2 tables.\n')
    expect((await run(['migrate', '--verbose'])).stdout).toMatch(/2 tables\.\n {2}tasks: task_id, status\n {2}sweeps: sweep_id, top\n$/)
    expect((await run(['migrate', '--json'])).document).toMatchObject({ applied: ['0001_first', '0002_next'], tables: [{ name: 'tasks', columns: ['task_id', 'status'] }, {}], changes: [{}, { name: 'sweeps', columns: ['top'] }] })
  })

  test('config prints what is in effect, secrets hidden, and needs nothing', async () => {
    const told = await run(['config', '--json'], { REDIS_URL: 'redis://:hunter2@cache:6379', WORKER_THREADS: '3' })
    expect(told.document).toMatchObject({
      config: { REDIS_URL: { value: 'redis://:***@cache:6379', source: 'environment' }, WORKER_THREADS: { value: '3' }, LEASE_MS: { value: '15000', source: 'default' } },
    })
    expect((await run(['config'], { API_TOKENS: 'hunter2' })).stdout).not.toContain('hunter2')
    expect(bench.calls).toEqual([])
    const env = { XDG_DATA_HOME: join(folder, 'data'), HOME: folder }
    const embedded = await run(['config'], env)
    expect(embedded.stdout).toMatch(/Embedded Redis and Postgres: the data lie in \S+\.\n/)
    expect((await run(['config', '--json'], { ...env, STATE_DIR: folder })).document).toMatchObject({ config: { STATE_DIR: { value: folder } }, services_folder: expect.stringMatching(/services$|^\/var\/tmp\/sweepmill-/) as string })
    expect((await run(['config'], { REDIS_URL: 'redis://cache:6379', DATABASE_URL: 'postgres://me@db/quant' })).stdout).not.toContain('Embedded')
  })

  test('health without a worker is exit 1, with a document', async () => {
    const told = await run(['health', '--json'], { HTTP_PORT: '1' })
    expect(told).toMatchObject({ code: 1, document: { status: 'unreachable', url: 'http://127.0.0.1:1' } })
    expect(bench.calls).toEqual([])
  })

  test('worker serves until it is told to stop', async () => {
    const ready = new Promise<string>((resolve) => {
      let stdout = ''
      void runProgram(['worker', '--json'], {
        env: { HTTP_PORT: '0', LOG_LEVEL: 'silent' }, clock: systemClock, version: '0.0.0-test', openWorkbench: bench.open,
        stdout: { write: (text) => { stdout += text; resolve(stdout) } }, stderr: { write: () => undefined },
      }).then((code) => { ended(code) })
    })
    let ended: (code: number) => void = () => undefined
    const end = new Promise<number>((resolve) => { ended = resolve })
    const { url } = JSON.parse(await ready) as { url: string }
    const health = await run(['health', '--url', url])
    expect(health.code).toBe(0)
    expect(health.stdout).toMatch(/status +healthy/)
    bench.backend.running = false
    expect((await run(['health', '--url', url, '--json'])).code).toBe(1)
    process.kill(process.pid, 'SIGTERM')
    expect(await end).toBe(0)
    expect(bench.calls).toEqual(['open', 'connect worker', 'close'])
    await expect(fetch(url)).rejects.toThrow()
  })

  test('help is on standard output and exit 0; no command is exit 2', async () => {
    expect(await run(['--help'])).toMatchObject({ code: 0, stderr: '' })
    expect((await run(['sweep', '--help'])).stdout).toMatch(/--objective-direction[\s\S]*fast=5:50:1[\s\S]*ema-cross +fast 2 to 200[\s\S]*calmar_ratio/)
    expect(await run([])).toMatchObject({ code: 2, stdout: '' })
    expect((await run(['--version'])).stdout).toBe('0.0.0-test\n')
  })
})

test('a benchmark is a file or a symbol', async () => {
  const args = ['backtest', '--data', data, '--strategy', 'sma-cross', '--benchmark']
  for (const [given, wanted] of [[data, { file: data }], ['SPX', { symbol: 'SPX' }], ['BTC-USD', { symbol: 'BTC-USD' }], ['BRK.B', { symbol: 'BRK.B' }]] as const) {
    await run([...args, given])
    expect(bench.backend.requests.at(-1)?.data).toMatchObject({ benchmark: wanted })
  }
  for (const missing of ['spx.csv', './spx', 'spx.parquet', 'SPX.CSV']) expect(await run([...args, missing])).toMatchObject({ code: 2, stderr: expect.stringContaining('FILE_NOT_FOUND') as string })
})

test('a trial of a sweep brings all of its own: what stands beside it is refused before anything starts', async () => {
  const id = '0193f9d4-0000-7000-8000-000000000000'
  for (const [args, sentence] of [
    [['--rank', '1'], '--rank names a trial'], [['--trial', '1', '--data', data], '--trial names a trial'], [['--from-sweep', id], 'needs one of --trial'],
    [['--from-sweep', id, '--rank', '1', '--trial', '2'], 'needs one of --trial'], [['--from-sweep', id, '--rank', '1', '--data', data], '--data has no place'],
    [['--from-sweep', id, '--rank', '1', '--fee-rate', '0.1'], '--fee-rate has no place'], [['--from-sweep', id, '--rank', '1', '--set', 'fast=1'], '--set has no place'],
    [['--from-sweep', id, '--trial', '-1'], 'whole number'], [['--from-sweep', id, '--rank', 'best'], 'whole number'],
  ] as const) {
    const { code, stderr } = await run(['backtest', ...args])
    expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)])
  }
  await run(['backtest', '--from-sweep', id, '--rank', '2', '--report', join(folder, 'r.html'), '--priority', 'low'])
  expect(bench.backend.requests.at(-1)).toMatchObject({ taskType: 'backtest_workflow', data: { from_sweep: id, rank: 2 }, priority: 'low' })
})

test('a file on standard output has it alone, and what else is said goes to standard error', async () => {
  expect(await run(['sweep', '--data', data, '--trials', '-', '--json'])).toMatchObject({ code: 2, document: { error: { message: expect.stringContaining('--trials - and --json both') as string } } })
  expect(bench.calls).toEqual([])
  const told = await run(['sweep', '--data', data, '--strategy', 'sma-cross', '--param', 'fast=5:50:1', '--trials', '-'])
  expect(told).toMatchObject({ code: 0, stdout: 'trial,fast\n0,5\n', stderr: expect.stringContaining('Sweep ') as string })
  const id = [...bench.backend.rows.keys()][0] ?? ''
  expect(await run(['tasks', 'export', id, '--report', '-', '--trials', join(folder, 'a.json.gz')])).toMatchObject({ code: 0, stdout: 'report\n', stderr: expect.stringContaining('Wrote ') as string })
})

test('an output folder that is made later is no excuse to fail at the end', async () => {
  mkdirSync(join(folder, 'out'))
  expect((await run(['backtest', '--data', data, '--trades', join(folder, 'out', 't.csv')])).code).toBe(0)
  expect(readdirSync(join(folder, 'out'))).toEqual(['t.csv'])
})
