/** Inputs that are far out: times that no calendar of four digits has, and values nested ten thousand levels deep, at every door. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Packr } from 'msgpackr'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { SweepmillError } from '../../src/base/errors.js'
import { openWorkbench } from '../../src/cli/open-workbench.js'
import { runProgram } from '../../src/cli/program.js'
import { parseBacktestSpec, parseIsoTime, parseSweepSpec } from '../../src/engine/index.js'
import { createHttpServer } from '../../src/http/server.js'
import type { HttpServer } from '../../src/http/server.js'
import { draftStrategy } from '../../src/runtime/strategy-draft.js'
import { nextFireAt } from '../../src/runtime/cron.js'
import { decodeBody } from '../../src/tasks/message.js'
import { readMoment } from '../../src/tasks/moment.js'
import { createLogger } from '../../src/telemetry/logger.js'
import { openTestBed } from '../harness.js'
import type { TestBed, TestRuntime } from '../harness.js'

let bed: TestBed
let runtime: TestRuntime
let server: HttpServer
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sweepmill-far-'))
  bed = await openTestBed()
  runtime = await bed.open({ role: 'client' })
  server = await createHttpServer({
    backend: runtime.backend, metrics: runtime.metrics, log: createLogger({ level: 'silent', workerName: 'far' }), version: '0.0.0-test',
    config: { httpHost: '127.0.0.1', httpPort: 0, apiTokens: [], dataRoots: ['samples'] },
  })
})
afterAll(async () => {
  await server.close()
  await bed.close()
  rmSync(folder, { recursive: true, force: true })
})

const LEVELS = 10_000
const deepText = (open: string, close: string): string => `${open.repeat(LEVELS)}1${close.repeat(LEVELS)}`
const DEEP: readonly (readonly [string, string])[] = [['lists', deepText('[', ']')], ['objects', deepText('{"a":', '}')]]
const FAR = ['0000-01-01', '0000-12-31T23:59:59Z', '10000-01-01', '+010000-01-01T00:00:00Z', '-000001-01-01T00:00:00Z', '+275760-09-13T00:00:00.000Z',
  '9999-12-31T23:59:59-01:00', '0001-01-01T00:00:00+01:00', '99999-01-01', '-271821-04-20T00:00:00Z']
const SPEC = { file: 'sp500-daily.csv', strategy: { name: 'sma-cross' } }

async function command(line: readonly string[]): Promise<string> {
  let stdout = ''
  const exitCode = await runProgram([...line, '--json'], {
    env: { ...bed.environment, WORKER_THREADS: '1', LOG_LEVEL: 'silent' },
    stdout: { isTTY: false, columns: 80, write: (text: string) => { stdout += text; return true } }, stderr: { isTTY: false, columns: 80, write: () => true },
    clock: systemClock, version: '0.0.0-test', openWorkbench,
  } as unknown as Parameters<typeof runProgram>[1])
  return `${exitCode} ${/"code":\s*"([A-Z_]+)"/.exec(stdout)?.[1] ?? stdout}`
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work()
    return 'taken'
  } catch (thrown) {
    return thrown instanceof SweepmillError ? thrown.code : `not ours: ${String(thrown)}`
  }
}

describe.each(DEEP)('a value nested in %s', (_kind, text) => {
  const value = JSON.parse(text) as Record<string, unknown>

  test.each(['/api/backtests', '/api/optimizations', '/api/data-syncs', '/api/cleanups', '/api/queue/pause'])('of %s is refused', async (url) => {
    for (const payload of [text, `{"strategy": {"name": "sma-cross", "params": {"fast": ${text}}}}`, `{"space": ${text}}`, `{"priority": ${text}}`]) {
      const reply = await server.app.inject({ method: 'POST', url, payload, headers: { 'content-type': 'application/json' } })
      expect([reply.statusCode, reply.json<{ error: { code: string } }>().error.code]).toEqual([400, expect.stringMatching(/SPEC_INVALID|REQUEST_INVALID/)])
    }
  })

  test('at the command line and in the library is refused', async () => {
    const spec = join(folder, 'deep.json')
    writeFileSync(spec, `{"file": "samples/sp500-daily.csv", "strategy": {"name": "sma-cross", "params": ${text}}}`)
    for (const verb of ['backtest', 'sweep', 'sync']) expect(await command([verb, '--spec', spec, '--detach'])).toBe('2 SPEC_INVALID')
    const path = Array.from({ length: 3000 }, () => 'a').join('.')
    expect(await command(['backtest', '--data', 'samples/sp500-daily.csv', '--strategy', 'sma-cross', '--execution', `${path}=1`, '--detach'])).toBe('2 SPEC_INVALID')
    const params = { fast: value }
    expect(await codeOf(() => runtime.queue.enqueueTask({ taskType: 'noop', data: { value } }))).toBe('SPEC_INVALID')
    expect(await codeOf(() => runtime.backend.submit({ taskType: 'backtest_workflow', data: { ...SPEC, strategy: { name: 'sma-cross', params } }, roots: null }))).toBe('SPEC_INVALID')
    expect(await codeOf(() => draftStrategy({ strategy: 'sma-cross', params }, {} as never))).toBe('SPEC_INVALID')
    expect(await codeOf(() => parseBacktestSpec({ ...SPEC, execution: value }))).toBe('SPEC_INVALID')
    expect(await codeOf(() => parseSweepSpec({ ...SPEC, space: value } as never))).toBe('SPEC_INVALID')
    expect(await codeOf(() => runtime.backend.tasks(value as never))).toBe('SPEC_INVALID')
    expect(await codeOf(() => runtime.backend.tasks({ limit: value } as never))).toBe('SPEC_INVALID')
  })
})

test('a message nested deeper than a payload may be does not decode, and one of the most levels does', () => {
  // By hand, because msgpack's own writer goes down by recursion: lists of one.
  const nested = (levels: number): Buffer => Buffer.concat([Buffer.from([1, 0x81, 0xa1, 0x61]), Buffer.alloc(levels, 0x91), Buffer.from([1])])
  for (const levels of [101, 1000, 2000, 60_000]) expect(() => decodeBody(nested(levels))).toThrow(SweepmillError)
  expect(decodeBody(nested(90)).kind).toBe('payload')
  expect(decodeBody(Buffer.concat([Buffer.from([1]), new Packr({ useRecords: false }).pack({ a: [[1]] })])).kind).toBe('payload')
})

describe('a time that is far out', () => {
  test.each(FAR)('%s is refused by its readers', (text) => {
    expect(parseIsoTime(text)).toBeUndefined()
    expect(readMoment(text)).toBeUndefined()
  })

  test.each(['0001-01-01', '9999-12-31', '9999-12-31T23:59:59.999Z', '0001-01-01T00:00:00Z'])('%s is the last that is not', async (text) => {
    expect(readMoment(text)).toBeDefined()
    expect((await server.app.inject(`/api/tasks?before=${encodeURIComponent(text)}`)).statusCode).toBe(200)
    expect((await server.app.inject(`/api/dlq?since=${encodeURIComponent(text)}`)).statusCode).toBe(200)
    expect(await codeOf(() => runtime.queue.enqueueTask({ taskType: 'noop', data: {}, notBefore: text, deadlineAt: text }))).toBe('taken')
  })

  test('is refused by every filter, key and flag', async () => {
    for (const text of FAR) {
      const time = encodeURIComponent(text)
      for (const url of [`/api/tasks?before=${time}`, `/api/tasks?cursor=${time}_01999999-0000-7000-8000-000000000000`, `/api/dlq?since=${time}`, `/api/dlq?before=${time}`,
        `/api/dlq?cursor=${time}_01999999-0000-7000-8000-000000000000`, `/api/dlq/quarantine?since=${time}`, `/api/dlq/quarantine?before=${time}`]) {
        expect(`${url} ${(await server.app.inject(url)).statusCode}`).toBe(`${url} 400`)
      }
      for (const [url, body] of [['/api/backtests', { ...SPEC, start_date: text }], ['/api/backtests', { ...SPEC, end_date: text }], ['/api/backtests', { ...SPEC, not_before: text }],
        ['/api/cleanups', { deadline_at: text }], ['/api/data-syncs', { exchange: 'bybit', symbol: 'BTCUSDT', timeframe: '1h', start_date: text }],
        ['/api/data-syncs', { exchange: 'bybit', symbol: 'BTCUSDT', timeframe: '1h', start_date: '2024-01-01', end_date: text }]] as const) {
        const reply = await server.app.inject({ method: 'POST', url, payload: body })
        expect(`${url} ${JSON.stringify(body)} ${reply.statusCode}`).toBe(`${url} ${JSON.stringify(body)} 400`)
      }
      expect(await codeOf(() => runtime.queue.enqueueTask({ taskType: 'noop', data: {}, notBefore: text }))).toBe('SPEC_INVALID')
      expect(await codeOf(() => runtime.backend.deadLetters.list({ since: text }))).toBe('SPEC_INVALID')
    }
    for (const line of [['cleanup', '--at', '10000-01-01'], ['dlq', 'list', '--since', '0000-01-01'], ['sync', '--exchange', 'bybit', '--symbol', 'X', '--timeframe', '1h', '--start', '0000-01-01', '--detach']]) {
      expect(await command(line)).toMatch(/^2 /)
    }
  })

  test('of a bar is refused, and a day of the last year is no end', async () => {
    for (const [first, second] of [['0000-01-03', '0000-01-04'], ['0099-01-03', '0099-01-04'], ['9998-12-31', '9999-01-01'], ['0000-12-31', '2020-01-01']]) {
      const file = join(folder, `${first}.csv`)
      writeFileSync(file, `date,open,high,low,close,volume\n${first},1,2,1,1,1\n${second},1,2,1,1,1\n`)
      expect(await command(['import', file, '--exchange', 'x', '--symbol', 'Y', '--timeframe', '1d'])).toBe('2 DATA_INVALID')
    }
    const body = { ...SPEC, start_date: '0001-01-01', end_date: '9999-12-31' }
    expect((await server.app.inject({ method: 'POST', url: '/api/backtests', payload: body })).statusCode).toBe(202)
    const sync = { exchange: 'bybit', symbol: 'BTCUSDT', timeframe: '1h', start_date: '0001-01-01', end_date: '9999-12-31' }
    expect((await server.app.inject({ method: 'POST', url: '/api/data-syncs', payload: sync })).statusCode).toBe(202)
    expect(nextFireAt('0 0 1 1 *', 'UTC', Date.UTC(9999, 6))).toBeNull()
  })
})
