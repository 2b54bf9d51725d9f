/** Callers that send slowly, too much, or go away: each ends soon, and costs nobody else anything. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { createHttpServer } from '../../src/http/server.js'
import type { HttpServer, HttpServerOptions } from '../../src/http/server.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import { createLogger } from '../../src/telemetry/logger.js'
import { Metrics } from '../../src/telemetry/registry.js'
import { packageRoot } from '../../src/base/package-root.js'
import { MemoryBackend } from '../unit/http/memory-backend.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'

let server: HttpServer
let port = 0
const callers: Caller[] = []

async function serve(backend: HttpServerOptions['backend']): Promise<void> {
  server = await createHttpServer({
    backend, metrics: new Metrics('test'), log: createLogger({ level: 'silent', workerName: 'test' }), version: 'test',
    config: { httpHost: '127.0.0.1', httpPort: 0, apiTokens: [], dataRoots: [packageRoot] },
  })
  port = (await server.listen()).port
}

interface Caller {
  readonly socket: Socket
  answer: string
  closed: boolean
}

function call(text: string): Caller {
  const caller: Caller = { socket: connect(port, '127.0.0.1'), answer: '', closed: false }
  callers.push(caller)
  caller.socket.on('data', (bytes: Buffer) => { caller.answer += bytes.toString() }).on('close', () => { caller.closed = true }).on('error', () => undefined)
  caller.socket.write(text)
  return caller
}

/** A byte now and then, until somebody has enough of it. */
function drip(caller: Caller): void {
  const stop = systemClock.every(200, () => { caller.socket.write('x') })
  caller.socket.once('close', stop)
}

const head = (length: number): string => `POST /api/backtests HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`
const answered = (caller: Caller, status: number): Promise<unknown> => eventually(`an answer with ${status}`, () => Promise.resolve(caller.answer.startsWith(`HTTP/1.1 ${status}`) && caller.closed))

afterEach(async () => {
  for (const { socket } of callers.splice(0)) socket.destroy()
  await server.close()
})

describe('a caller', () => {
  beforeEach(() => serve(new MemoryBackend()))

  test('whose body drips is told so and cut off, however many there are', async () => {
    const slow = Array.from({ length: 50 }, () => call(`${head(1000)}{`))
    slow.forEach(drip)
    // One that sends all of it at once is served meanwhile.
    expect((await fetch(`http://127.0.0.1:${port}/api/cleanups`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })).status).toBe(202)
    await Promise.all(slow.map((caller) => answered(caller, 408)))
    expect(slow[0]?.answer).toContain('"code":"REQUEST_TIMEOUT"')
    expect(slow[0]?.answer.toLowerCase()).toContain('connection: close')
  })

  test('whose head drips is cut off too', async () => {
    const slow = call('POST /api/backtests HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
    drip(slow)
    await answered(slow, 408)
    expect(slow.answer).toContain('"code":"REQUEST_TIMEOUT"')
  })

  test('that sends more than a body may be is refused before all of it came', async () => {
    const declared = call(head(2 ** 21))
    const chunked = call(head(0).replace(/Content-Length: 0/, 'Transfer-Encoding: chunked'))
    for (let i = 0; i < 40; i += 1) chunked.socket.write(`8000\r\n${' '.repeat(0x8000)}\r\n`)
    for (const caller of [declared, chunked]) await eventually('a refusal', () => Promise.resolve(caller.answer.startsWith('HTTP/1.1 413')))
  })

  test('with many others cannot fill the memory with bodies', async () => {
    const length = 2 ** 20
    const most = Array.from({ length: 40 }, () => call(head(length) + ' '.repeat(length - 1)))
    await eventually('some to be turned away', () => Promise.resolve(most.some(({ answer }) => answer.startsWith('HTTP/1.1 503') && answer.includes('SERVER_BUSY'))))
    for (const { socket } of most) socket.destroy()
    const body = JSON.stringify({ user_id: 'a' }).padEnd(length - 10)
    await eventually('room again', async () => (await fetch(`http://127.0.0.1:${port}/api/cleanups`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status === 202)
    // What was answered is held no more: a hundred of them are more than fit at once.
    for (let i = 0; i < 100; i += 1) expect((await fetch(`http://127.0.0.1:${port}/api/cleanups`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status).toBe(202)
  })
})

test('a caller that goes away takes its step with it', async () => {
  const bed = await openTestBed()
  const pool = createComputePool({ threads: 1, clock: systemClock })
  try {
    const { backend } = await bed.open({ pool })
    await serve(backend)
    const busy = new AbortController()
    const others = pool.run({ step: 'probe', input: { spin_ms: 600_000 }, priority: 'high', divisible: true, userCode: false, signal: busy.signal }).catch(() => undefined)
    const body = JSON.stringify({ file: 'samples/sp500-daily.csv', strategy: { name: 'buy-and-hold' } })
    const leaving = call(head(body.length) + body)
    await eventually('its step to wait', () => Promise.resolve(pool.stats().waiting.high === 1))
    leaving.socket.destroy()
    await eventually('its step to be gone', () => Promise.resolve(pool.stats().waiting.high === 0))
    expect(pool.stats().busy).toBe(1)
    const staying = call(head(body.length) + body)
    await eventually('the next step to wait', () => Promise.resolve(pool.stats().waiting.high === 1))
    busy.abort()
    await others
    await eventually('an answer', () => Promise.resolve(staying.answer.startsWith('HTTP/1.1 202')))
    expect(await backend.tasks({})).toHaveLength(1)
  } finally {
    await bed.close()
    await pool.close()
  }
})
