import { spawnSync } from 'node:child_process'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SweepmillError } from '../../../src/base/errors.js'
import { assertListenable } from '../../../src/http/exposure.js'
import { createHttpServer } from '../../../src/http/server.js'
import type { HttpServer } from '../../../src/http/server.js'
import { createLogger } from '../../../src/telemetry/logger.js'
import { Metrics } from '../../../src/telemetry/registry.js'
import { MemoryBackend } from './memory-backend.js'

const log = createLogger({ level: 'silent', workerName: 'test' })
let backend: MemoryBackend
let server: HttpServer
const open: HttpServer[] = []

async function serve(config: { httpHost?: string; httpPort?: number; apiTokens?: readonly string[] } = {}): Promise<HttpServer> {
  const created = await createHttpServer({
    backend, metrics: new Metrics('0.0.0-test'), log, version: '0.0.0-test',
    config: { httpHost: '127.0.0.1', httpPort: 0, apiTokens: [], dataRoots: ['/srv/bars'], ...config },
  })
  open.push(created)
  return created
}

beforeEach(async () => {
  backend = new MemoryBackend()
  server = await serve()
})
afterEach(async () => { await Promise.all(open.splice(0).map((each) => each.close())) })

const JSON_TYPE = { 'content-type': 'application/json' }
const bare = (url: string, headers: Record<string, string> = JSON_TYPE) => server.app.inject({ method: 'POST', url, headers })
const post = (url: string, payload: unknown) => server.app.inject({ method: 'POST', url, payload: payload as object })
const codeOf = (reply: { json(): unknown }): string => (reply.json() as { error: { code: string } }).error.code

describe('pausing', () => {
  test('one priority or all, and what is paused then is the answer and in the health report', async () => {
    expect((await post('/api/queue/pause', { priority: 'low' })).json()).toEqual({ paused: ['low'] })
    expect((await server.app.inject('/health')).json()).toMatchObject({ status: 'healthy', paused: ['low'] })
    expect((await post('/api/queue/pause', {})).json()).toEqual({ paused: ['high', 'medium', 'low'] })
    expect((await post('/api/queue/resume', { priority: 'high' })).json()).toEqual({ paused: ['medium', 'low'] })
    expect((await bare('/api/queue/resume')).json()).toEqual({ paused: [] })
    const refused = await post('/api/queue/pause', { priority: 'urgent' })
    expect([refused.statusCode, codeOf(refused)]).toEqual([400, 'REQUEST_INVALID'])
    expect(codeOf(await post('/api/queue/pause', { priorities: ['low'] }))).toBe('REQUEST_INVALID')
  })
})

describe('cleanups', () => {
  test('a POST without a body is one with every default; its own keys stand beside the task\'s', async () => {
    const reply = await bare('/api/cleanups')
    expect([reply.statusCode, reply.json()]).toEqual([202, { task_id: expect.any(String) as string, status: 'queued' }])
    expect((await post('/api/cleanups', { tasks_days: 3, dry_run: true, priority: 'high' })).statusCode).toBe(202)
    expect(backend.requests.map(({ taskType, data, priority }) => ({ taskType, data, priority }))).toEqual([
      { taskType: 'cleanup', data: {}, priority: undefined }, { taskType: 'cleanup', data: { tasks_days: 3, dry_run: true }, priority: 'high' },
    ])
    expect(codeOf(await post('/api/cleanups', []))).toBe('REQUEST_INVALID')
  })
})

describe('dead letters', () => {
  const quarantined = {
    quarantine_id: 1, message_id: '1-1', priority: 'high', reason: 'the bytes do not decode', size_bytes: 3, head_base64: 'Aff/', created_at: '2025-11-05T17:00:00.000Z',
  } as const
  const ID = '01900000-0000-7000-8000-000000000001'

  test('are listed with filters, and run again one by one', async () => {
    await post('/api/backtests', { file: 'a.csv' })
    expect((await server.app.inject('/api/dlq')).json()).toEqual({ dead_letters: [], next_cursor: null })
    expect(codeOf(await post(`/api/dlq/${ID}/redrive`, {}))).toBe('STATE_CONFLICT')
    backend.set(ID, { status: 'dead_letter', attempt: 4 })
    expect((await server.app.inject('/api/dlq?type=backtest_workflow&limit=5')).json()).toMatchObject({ dead_letters: [{ task_id: ID, attempts: 4, reason: 'retries_exhausted' }] })
    expect((await server.app.inject('/api/dlq?type=cleanup')).json()).toEqual({ dead_letters: [], next_cursor: null })
    expect((await post(`/api/dlq/${ID}/redrive`, {})).json()).toMatchObject({ task_id: ID, status: 'pending', generation: 2 })
  })

  test('come in pages', async () => {
    for (let n = 1; n <= 3; n += 1) {
      await post('/api/backtests', { file: 'a.csv' })
      backend.set(ID.replace(/1$/, String(n)), { status: 'dead_letter' })
    }
    const page = async (query: string): Promise<{ dead_letters: { task_id: string }[]; next_cursor: string | null }> => (await server.app.inject(`/api/dlq?limit=2${query}`)).json()
    const first = await page('')
    expect(first.dead_letters.map((letter) => letter.task_id)).toEqual([ID.replace(/1$/, '3'), ID.replace(/1$/, '2')])
    const second = await page(`&cursor=${first.next_cursor}`)
    expect(second).toMatchObject({ dead_letters: [{ task_id: ID }], next_cursor: null })
  })

  test('what is in quarantine is listed', async () => {
    backend.quarantined = [quarantined]
    expect((await server.app.inject('/api/dlq/quarantine?limit=5&since=2025-01-01')).json()).toEqual({ quarantine: [quarantined] })
    expect(codeOf(await server.app.inject('/api/dlq/quarantine?reason=poison'))).toBe('REQUEST_INVALID')
  })

  test.each(['reason=tired', 'limit=0', 'cursor=5', `cursor=soon_${ID}`, 'since=soon', 'colour=red', 'user_id=%00', 'type=a%00b'])('%s is refused', async (query) => {
    const reply = await server.app.inject(`/api/dlq?${query}`)
    expect([reply.statusCode, codeOf(reply)]).toEqual([400, 'REQUEST_INVALID'])
  })
})

describe('submitting', () => {
  test('the task\'s own keys are taken out of the flat body, the spec is passed on untouched', async () => {
    const spec = { file: 'GOOG.csv', strategy: { name: 'sma-cross', params: { fast: 10 } }, surprise: 1 }
    const reply = await post('/api/backtests', {
      ...spec, priority: 'LOW', user_id: 'ann', timeout: 60, max_retries: 0, idempotency_key: 'k1', not_before: '2030-01-01T01:00:00+01:00',
    })
    expect(reply.statusCode).toBe(202)
    expect(reply.json()).toEqual({ task_id: '01900000-0000-7000-8000-000000000001', status: 'queued' })
    expect(backend.requests).toEqual([{
      taskType: 'backtest_workflow', data: spec, priority: 'low', userId: 'ann', ipAddress: '127.0.0.1', timeoutSeconds: 60, maxRetries: 0,
      idempotencyKey: 'k1', notBefore: '2030-01-01T00:00:00.000Z', roots: ['/srv/bars'],
    }])
  })

  test('a name and tags are the task\'s, and tasks are found by them', async () => {
    expect((await post('/api/backtests', { file: 'a.csv', name: 'January run', tags: ['nightly', 'desk:fx', 'nightly'] })).statusCode).toBe(202)
    expect(backend.requests[0]).toMatchObject({ name: 'January run', tags: ['nightly', 'desk:fx'], data: { file: 'a.csv' } })
    expect(backend.requests[0]?.data).toEqual({ file: 'a.csv' })
    const reply = await server.app.inject({ url: '/api/tasks?name=jan&tag=nightly,desk:fx' })
    expect(reply.statusCode).toBe(200)
    expect(backend.queries[0]).toMatchObject({ name: 'jan', tags: ['nightly', 'desk:fx'] })
    for (const [key, value] of [['name', ''], ['name', 7], ['name', 'x'.repeat(101)], ['name', 'a\u0000b'], ['name', '\ud800'], ['tags', 'one'], ['tags', ['two words']], ['tags', [7]], ['tags', Array.from({ length: 21 }, (_, k) => `t${k}`)]] as const) {
      const refused = await post('/api/backtests', { file: 'a.csv', [key]: value })
      expect([refused.statusCode, refused.json()]).toMatchObject([400, { error: { code: 'SPEC_INVALID', details: { path: key } } }])
    }
  })

  test('an optimization goes the same way', async () => {
    expect((await post('/api/optimizations', { space: {} })).statusCode).toBe(202)
    expect(backend.requests[0]).toMatchObject({ taskType: 'optimization_workflow', data: { space: {} } })
  })

  test.each([
    ['priority', 'urgent'], ['priority', 3], ['user_id', ''], ['user_id', 7], ['timeout', 0], ['timeout', '60'], ['timeout', 1.5],
    ['max_retries', -1], ['idempotency_key', 'x'.repeat(201)], ['not_before', '2030-01-01'], ['not_before', '2030-13-01T00:00:00Z'],
    ['not_before', '2027-02-30T00:00:00Z'], ['deadline_at', '2027-02-29T00:00:00Z'], ['deadline_at', '2027-04-31T12:00:00+02:00'], ['not_before', '2027-01-01T24:00:00Z'],
    ['not_before', '2027-01-01T00:00:00'], ['not_before', '2027-01-01T00:00:00+19:00'], ['deadline_at', '2027-01-01T00:00:00+01:60'], ['not_before', '0000-01-01T00:00:00Z'],
    ['deadline_at', '9999-12-31T23:59:59-01:00'], ['not_before', 'tomorrow'], ['not_before', 5], ['user_id', 'a\0'], ['user_id', '\ud800'], ['idempotency_key', 'k\0'],
  ])('%s = %j is refused by name', async (key, value) => {
    const reply = await post('/api/backtests', { [key]: value })
    expect(reply.statusCode).toBe(400)
    expect(reply.json()).toMatchObject({ error: { code: 'SPEC_INVALID', details: { path: key } } })
    expect(backend.requests).toEqual([])
  })

  test('what the runtime refuses keeps its code, status and details, without a stack', async () => {
    backend.refusal = new SweepmillError('STRATEGY_UNKNOWN', 'No strategy is called "x".', { details: { known: ['sma-cross'] } })
    const reply = await post('/api/backtests', {})
    expect(reply.statusCode).toBe(400)
    expect(reply.json()).toEqual({ error: { code: 'STRATEGY_UNKNOWN', message: 'No strategy is called "x".', details: { known: ['sma-cross'] } } })
  })

  test('a full queue says come back; a surprise says nothing of our insides', async () => {
    backend.refusal = new SweepmillError('QUEUE_FULL', 'Full.')
    const full = await post('/api/backtests', {})
    expect([full.statusCode, full.headers['retry-after'], codeOf(full)]).toEqual([503, '1', 'QUEUE_FULL'])
    backend.refusal = new TypeError('cannot read /etc/secret')
    const surprise = await post('/api/backtests', {})
    expect([surprise.statusCode, codeOf(surprise)]).toEqual([500, 'INVARIANT'])
    expect(surprise.body).not.toContain('secret')
  })
})

describe('bodies that are no spec', () => {
  const inject = (payload: string, type = 'application/json') =>
    server.app.inject({ method: 'POST', url: '/api/backtests', headers: { 'content-type': type }, payload })
  test.each([
    ['broken JSON', () => inject('{"file": '), 400, 'REQUEST_INVALID'],
    ['no body', () => inject(''), 400, 'REQUEST_INVALID'],
    ['an array', () => inject('[]'), 400, 'REQUEST_INVALID'],
    ['null', () => inject('null'), 400, 'REQUEST_INVALID'],
    ['a prototype', () => inject('{"__proto__": {"x": 1}}'), 400, 'REQUEST_INVALID'],
    ['a form', () => inject('file=GOOG.csv', 'application/x-www-form-urlencoded'), 415, 'REQUEST_INVALID'],
    ['plain text', () => inject('{}', 'text/plain'), 415, 'REQUEST_INVALID'],
    ['2 MiB', () => inject(JSON.stringify({ x: 'y'.repeat(2 ** 21) })), 413, 'PAYLOAD_TOO_LARGE'],
    ['no type', () => server.app.inject({ method: 'POST', url: '/api/backtests' }), 415, 'REQUEST_INVALID'],
    ['a NUL', () => inject('{"file": "a\\u0000.csv"}'), 400, 'SPEC_INVALID'],
    ['half of a pair in a key', () => inject('{"params": {"\\ud800": 1}}'), 400, 'SPEC_INVALID'],
    ['a number beyond all', () => inject('{"params": {"x": 1e400}}'), 400, 'SPEC_INVALID'],
    ['a thousand levels', () => inject(`{"a": ${'['.repeat(1000)}${']'.repeat(1000)}}`), 400, 'SPEC_INVALID'],
    ['half a million levels', () => inject(`{"a": ${'['.repeat(500_000)}${']'.repeat(500_000)}}`), 400, 'SPEC_INVALID'],
    ['a prototype further down', () => inject('{"a": [{"__proto__": {"x": 1}}]}'), 400, 'REQUEST_INVALID'],
  ])('%s', async (_what, send, status, code) => {
    const reply = await send()
    expect([reply.statusCode, codeOf(reply)]).toEqual([status, code])
    expect(backend.requests).toEqual([])
  })
})

describe('what a route would drop', () => {
  const ID = '01900000-0000-7000-8000-000000000001'
  test.each(['/api/queue/resume?priority=low', `/api/tasks/${ID}/cancel?force=1`, '/api/backtests?priority=high'])('POST %s is refused: it takes no query', async (url) => {
    const reply = await post(url, {})
    expect([reply.statusCode, codeOf(reply)]).toEqual([400, 'REQUEST_INVALID'])
    expect(backend.requests).toEqual([])
  })

  test.each([`/api/tasks/${ID}?full=1`, '/metrics?x=1', '/api/tasks?name=%ED%A0%80', '/api/tasks?user_id=%FF', '/api/tasks?name=%', '/api/dlq?user_id=%C3'])('GET %s is refused', async (url) => {
    const reply = await server.app.inject(url)
    expect([reply.statusCode, codeOf(reply)]).toEqual([400, 'REQUEST_INVALID'])
  })

  test('probes are asked with whatever a balancer adds', async () => {
    expect((await server.app.inject('/livez?time=5')).statusCode).toBe(200)
  })

  test.each(['[]', '0', 'false', 'null', '"all"', '{"priority": "low", "priority": "all"}', '{"priority": "l\xff"}'])('a pause of %s is none', async (payload) => {
    const reply = await server.app.inject({ method: 'POST', url: '/api/queue/pause', headers: JSON_TYPE, payload: Buffer.from(payload, 'latin1') })
    expect([reply.statusCode, codeOf(reply)]).toEqual([400, 'REQUEST_INVALID'])
    expect(await backend.pauses.paused()).toEqual([])
  })

  test('a body of a route that takes none is refused, an empty one is not', async () => {
    expect(codeOf(await post(`/api/tasks/${ID}/cancel`, { reason: 'x' }))).toBe('REQUEST_INVALID')
    expect(codeOf(await post(`/api/tasks/${ID}/cancel`, {}))).toBe('TASK_NOT_FOUND')
  })

  test.each([['application/json; charset=utf-8', 200], ['application/json;charset="UTF-8"', 200], ['application/json; charset=latin1', 415], ['application/json;charset=utf-16', 415]])('%s is answered with %d', async (type, status) => {
    expect((await bare('/api/queue/resume', { 'content-type': type })).statusCode).toBe(status)
  })
})

describe('looking after tasks', () => {
  const id = '01900000-0000-7000-8000-000000000001'
  beforeEach(async () => { await post('/api/backtests', { file: 'GOOG.csv' }) })

  test('a finished task reads as it is, its result untouched', async () => {
    backend.set(id, { status: 'completed', result: { total_return: 25.5, nested: { any: [1, null] } }, processing_time_ms: 2310 })
    const reply = await server.app.inject(`/api/tasks/${id.toUpperCase()}`)
    expect(reply.statusCode).toBe(200)
    expect(reply.json()).toMatchObject({
      task_id: id, status: 'completed', result: { total_return: 25.5, nested: { any: [1, null] } },
      created_at: '2025-11-05T17:00:00Z', processing_time_ms: 2310,
    })
  })

  test('checkpoints, cancel, retry', async () => {
    expect((await server.app.inject(`/api/tasks/${id}/checkpoints`)).json()).toEqual({
      task_id: id, checkpoints: [{ step: 'fetch_data', data: { bars: 5105 }, timestamp: '2025-11-05T17:00:01Z' }],
    })
    const early = await post(`/api/tasks/${id}/retry`, {})
    expect([early.statusCode, codeOf(early)]).toEqual([409, 'STATE_CONFLICT'])
    expect((await bare(`/api/tasks/${id}/cancel`)).json()).toMatchObject({ status: 'cancelled' })
    expect((await post(`/api/tasks/${id}/retry`, {})).json()).toMatchObject({ status: 'pending', generation: 2 })
  })

  test.each(['/api/tasks/nonsense', `/api/tasks/${id.replace(/1$/, '9')}`, '/api/tasks/nonsense/checkpoints'])('%s is not found', async (url) => {
    const reply = await server.app.inject(url)
    expect([reply.statusCode, codeOf(reply)]).toEqual([404, 'TASK_NOT_FOUND'])
  })

  test('the list filters, and refuses what it does not know', async () => {
    await post('/api/optimizations', {})
    const tasks = async (query: string) => (await server.app.inject(`/api/tasks${query}`)).json<{ tasks: { task_type: string }[] }>().tasks
    expect((await tasks('')).map((row) => row.task_type)).toEqual(['optimization_workflow', 'backtest_workflow'])
    expect(await tasks('?limit=1')).toHaveLength(1)
    expect(await tasks('?status=failed')).toEqual([])
    // What the reply to a POST says can be asked for.
    const { status } = (await post('/api/backtests', { file: 'bars.csv' })).json() as { status: string }
    expect(await tasks(`?status=${status}`)).toEqual(await tasks('?status=pending'))
    expect(await tasks('?status=QUEUED')).not.toEqual([])
    for (const query of ['?stat=failed', '?status=gone', '?limit=0', '?limit=1&limit=2', '?before=yesterday', '?before=2027-02-30', '?before=0000-01-01', '?user_id=a%00', '?type=%00']) {
      const reply = await server.app.inject(`/api/tasks${query}`)
      expect([query, reply.statusCode, codeOf(reply)]).toEqual([query, 400, 'REQUEST_INVALID'])
    }
  })
})

describe('probes, metrics, documentation', () => {
  test('follow the backend', async () => {
    const statuses = async () => Promise.all(['/livez', '/readyz', '/health'].map(async (url) => (await server.app.inject(url)).statusCode))
    expect(await statuses()).toEqual([200, 200, 200])
    backend.running = false
    expect(await statuses()).toEqual([200, 503, 503])
    expect((await server.app.inject('/health')).json()).toMatchObject({ status: 'unhealthy', worker_name: 'w', running: false })
  })

  const promtool = spawnSync('promtool', ['--version']).error === undefined
  test('metrics are text that Prometheus reads', async () => {
    const reply = await server.app.inject('/metrics')
    expect(reply.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(reply.body).toContain('# TYPE task_queue_enqueued_total counter')
    if (promtool) expect(spawnSync('promtool', ['check', 'metrics'], { input: reply.body, encoding: 'utf8' }).status).toBe(0)
  })

  test('the OpenAPI document names every route', async () => {
    const document = (await server.app.inject('/api/docs')).json<{ openapi: string; paths: Record<string, object> }>()
    expect(document.openapi).toBe('3.1.0')
    expect(Object.keys(document.paths).sort()).toEqual([
      '/api/backtests', '/api/cleanups', '/api/data-syncs', '/api/dlq', '/api/dlq/quarantine', '/api/dlq/{id}/redrive', '/api/docs', '/api/optimizations', '/api/queue/pause', '/api/queue/resume', '/api/tasks', '/api/tasks/{id}', '/api/tasks/{id}/cancel', '/api/tasks/{id}/checkpoints',
      '/api/tasks/{id}/retry', '/health', '/livez', '/metrics', '/readyz',
    ])
  })

  test.each(['/', '/api', '/api/backtests', '/%'])('%s is an error in the one shape', async (url) => {
    const reply = await server.app.inject(url)
    expect([404, 400]).toContain(reply.statusCode)
    expect(['ROUTE_NOT_FOUND', 'REQUEST_INVALID']).toContain(codeOf(reply))
  })
})

describe('tokens', () => {
  beforeEach(async () => { server = await serve({ apiTokens: ['first-token', 'second'], httpHost: '0.0.0.0' }) })
  const status = async (url: string, authorization?: string): Promise<number> =>
    (await server.app.inject({ url, headers: { host: 'quant.example', ...(authorization === undefined ? {} : { authorization }) } })).statusCode

  test('guard everything but the probes', async () => {
    for (const url of ['/api/tasks', '/metrics', '/api/docs', '/api/tasks/x', '/nowhere']) expect([url, await status(url)]).toEqual([url, 401])
    for (const url of ['/health', '/livez', '/readyz', '/health?x=1']) expect([url, await status(url)]).toEqual([url, 200])
    const reply = await server.app.inject({ method: 'POST', url: '/api/backtests', payload: {} })
    expect([reply.statusCode, codeOf(reply), reply.headers['www-authenticate']]).toEqual([401, 'UNAUTHORIZED', 'Bearer'])
    expect(backend.requests).toEqual([])
  })

  test('each of them opens, nothing near them does', async () => {
    for (const given of ['Bearer first-token', 'bearer second']) expect(await status('/api/tasks', given)).toBe(200)
    for (const given of ['', 'Bearer', 'Bearer first', 'Bearer first-token2', 'Basic first-token', 'Bearer first-token,second', 'first-token']) {
      expect([given, await status('/api/tasks', given)]).toEqual([given, 401])
    }
  })
})

describe('without tokens', () => {
  test.each(['0.0.0.0', '::', '192.168.1.5', 'quant.example'])('it refuses to serve %s', async (httpHost) => {
    await expect(serve({ httpHost })).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { variable: 'HTTP_HOST' } })
  })

  test('a page that resolves its own name to 127.0.0.1 gets nothing', async () => {
    const from = async (host: string) => (await server.app.inject({ url: '/api/tasks', headers: { host } })).statusCode
    expect(await from('evil.example')).toBe(401)
    for (const host of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080', '127.9.9.9']) expect([host, await from(host)]).toEqual([host, 200])
  })
})

describe('listening', () => {
  test('on a free port, over a real socket, and a port in use is said clearly', async () => {
    const { port, url } = await server.listen()
    expect((await fetch(`${url}/livez`)).status).toBe(200)
    const taken = { httpHost: '127.0.0.1', httpPort: port, apiTokens: [] }
    await expect((await serve(taken)).listen()).rejects.toMatchObject({ code: 'PORT_IN_USE', details: { port } })
    await expect(assertListenable(taken)).rejects.toMatchObject({ code: 'PORT_IN_USE' })
    await expect(assertListenable({ ...taken, httpPort: 0 })).resolves.toBeUndefined()
  })

  test('a port is free again after the check', async () => {
    const probe = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => { probe.once('listening', resolve) })
    const httpPort = (probe.address() as AddressInfo).port
    await new Promise((resolve) => { probe.close(resolve) })
    const options = { httpHost: '127.0.0.1', httpPort, apiTokens: [] }
    await assertListenable(options)
    await expect((await serve(options)).listen()).resolves.toMatchObject({ port: httpPort })
  })

  test('an address of another machine is a configuration error', async () => {
    await expect((await serve({ httpHost: '203.0.113.7', apiTokens: ['t'] })).listen()).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  test('a request that was only half sent does not hold the end up', async () => {
    const { port } = await server.listen()
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    await new Promise<void>((resolve) => { socket.write('GET /livez HTT', () => { resolve() }) })
    await server.close()
    await new Promise((resolve) => { socket.once('close', resolve) })
  })

  test('bytes that are not HTTP get the one shape too', async () => {
    const { port } = await server.listen()
    const answer = await new Promise<string>((resolve, reject) => {
      let text = ''
      const socket = connect(port, '127.0.0.1', () => socket.write('nonsense\r\n\r\n'))
      socket.on('data', (bytes) => { text += String(bytes) }).on('end', () => resolve(text)).on('error', reject)
    })
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ error: { code: 'REQUEST_INVALID' } })
  })
})
