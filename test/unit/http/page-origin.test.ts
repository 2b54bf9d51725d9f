/** No page of another origin changes anything: as requests, over a socket, and with a real page in a Chromium of this machine. */
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createHttpServer } from '../../../src/http/server.js'
import type { HttpServer } from '../../../src/http/server.js'
import { createLogger } from '../../../src/telemetry/logger.js'
import { Metrics } from '../../../src/telemetry/registry.js'
import { chromiumPath, openChromium } from '../../browser/chromium.js'
import { MemoryBackend } from './memory-backend.js'

let backend: MemoryBackend
let server: HttpServer
let port: number
beforeEach(async () => {
  backend = new MemoryBackend()
  server = await createHttpServer({
    backend, metrics: new Metrics('0.0.0-test'), log: createLogger({ level: 'silent', workerName: 'test' }), version: '0.0.0-test',
    config: { httpHost: '127.0.0.1', httpPort: 0, apiTokens: [], dataRoots: [] },
  })
  port = (await server.listen()).port
})
afterEach(async () => { await server.close() })

const JSON_TYPE = { 'content-type': 'application/json' }
const ID = '01900000-0000-7000-8000-000000000001'
const CHANGING = ['/api/queue/pause', '/api/queue/resume', '/api/cleanups', '/api/backtests', '/api/optimizations', '/api/data-syncs', `/api/tasks/${ID}/cancel`, `/api/tasks/${ID}/retry`, `/api/dlq/${ID}/redrive`]

async function nothingChanged(): Promise<void> {
  expect(backend.requests).toEqual([])
  expect(await backend.pauses.paused()).toEqual([])
}

/** Status and code of a request as its bytes. */
async function send(head: string, body = ''): Promise<string> {
  const answer = await new Promise<string>((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => { socket.write(`${head}\r\nConnection: close\r\n\r\n${body}`) })
    socket.on('data', (bytes) => { text += String(bytes) }).on('end', () => { resolve(text) }).on('error', reject)
  })
  return `${answer.split(' ')[1] ?? ''} ${/"code":"(\w+)"/.exec(answer)?.[1] ?? ''}`.trim()
}

describe('what changes something', () => {
  test.each(CHANGING)('%s asks for JSON, also without a body', async (url) => {
    for (const type of [undefined, '', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/plain; application/json',
      'application/jsonx', 'application/json, text/plain', 'application/json;a,text/plain', 'application/x-json']) {
      const reply = await server.app.inject({ method: 'POST', url, headers: type === undefined ? {} : { 'content-type': type } })
      expect([type, reply.statusCode, reply.json()]).toEqual([type, 415, { error: { code: 'REQUEST_INVALID', message: expect.any(String) as string } }])
    }
    await nothingChanged()
    const reply = await server.app.inject({ method: 'POST', url, headers: { 'content-type': 'Application/JSON ; charset=utf-8' } })
    expect(reply.statusCode).not.toBe(415)
  })

  const FOREIGN: readonly Record<string, string>[] = [
    { origin: 'http://evil.example' }, { origin: 'null' }, { origin: '' }, { origin: 'http://localhost:80' }, { origin: 'http://localhost.evil.example:8080' },
    { origin: 'http://localhost:8080, http://localhost:8080' }, { origin: 'file://' }, { origin: 'chrome-extension://localhost:8080' }, { origin: 'http://evil@localhost:8081' },
    { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { 'sec-fetch-site': 'Same-Origin' }, { 'sec-fetch-site': '' },
    { origin: 'http://localhost:8080', 'sec-fetch-site': 'cross-site' }, { origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' },
  ]
  test('is refused from a foreign page, whatever its route', async () => {
    for (const url of [...CHANGING, '/livez', '/nowhere', '/api/docs']) {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
        for (const foreign of FOREIGN) {
          const reply = await server.app.inject({ method, url, headers: { host: 'localhost:8080', ...JSON_TYPE, ...foreign } })
          expect([foreign, reply.statusCode]).toEqual([foreign, 403])
        }
      }
    }
    await nothingChanged()
  })

  test('is taken from our own page, and from what is no browser; reading is not asked whence', async () => {
    for (const headers of [{}, { origin: 'http://localhost:8080' }, { origin: 'https://LOCALHOST:8080', 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }]) {
      expect((await server.app.inject({ method: 'POST', url: '/api/queue/pause', headers: { host: 'localhost:8080', ...JSON_TYPE, ...headers } })).statusCode).toBe(200)
    }
    expect((await server.app.inject({ method: 'POST', url: '/api/queue/pause', headers: { host: 'localhost', ...JSON_TYPE, origin: 'http://localhost:80' } })).statusCode).toBe(200)
    expect((await server.app.inject({ url: '/livez', headers: { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' } })).statusCode).toBe(200)
  })

  test('over a socket', async () => {
    const host = `Host: 127.0.0.1:${port}`
    expect(await send(`POST /api/queue/pause HTTP/1.1\r\n${host}`)).toBe('415 REQUEST_INVALID')
    expect(await send(`POST /api/queue/pause HTTP/1.1\r\n${host}\r\nContent-Length: 0`)).toBe('415 REQUEST_INVALID')
    expect(await send(`POST /api/cleanups HTTP/1.1\r\n${host}\r\nContent-Type: text/plain\r\nContent-Type: application/json`)).toBe('415 REQUEST_INVALID')
    expect(await send(`POST /api/cleanups HTTP/1.1\r\n${host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3`, 'a=b')).toBe('415 REQUEST_INVALID')
    const json = `${host}\r\nContent-Type: application/json`
    expect(await send(`POST /api/queue/pause HTTP/1.1\r\n${json}\r\nOrigin: http://127.0.0.1:1`)).toBe('403 ORIGIN_FORBIDDEN')
    expect(await send(`POST /api/queue/pause HTTP/1.1\r\n${json}\r\nOrigin: http://127.0.0.1:${port}\r\nOrigin: http://evil.example`)).toBe('403 ORIGIN_FORBIDDEN')
    expect(await send(`POST /api/queue/pause HTTP/1.0\r\nContent-Type: application/json\r\nOrigin: http://evil.example`)).toBe('403 ORIGIN_FORBIDDEN')
    await nothingChanged()
    expect(await send(`POST /api/queue/pause HTTP/1.1\r\n${json}`)).toBe('200')
    expect(await send(`POST /api/queue/resume HTTP/1.1\r\n${json}\r\nTransfer-Encoding: chunked`, '0\r\n\r\n')).toBe('200')
  })
})

describe.skipIf(chromiumPath === undefined)(`in Chromium${chromiumPath === undefined ? ' (there is none on this machine)' : ''}`, () => {
  let foreign: Server
  beforeEach(async () => {
    foreign = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<!doctype html><title>another origin</title>')
    })
    await new Promise<void>((resolve) => { foreign.listen(0, '127.0.0.1', resolve) })
  })
  afterEach(async () => { await new Promise((resolve) => { foreign.close(resolve); foreign.closeAllConnections() }) })

  test('a page of another origin changes nothing, one of our own does', async () => {
    const browser = await openChromium()
    try {
      const page = await browser.newPage()
      // At another port, and under another name of this machine.
      for (const name of ['127.0.0.1', 'localhost']) {
        await page.goto(`http://${name}:${(foreign.address() as AddressInfo).port}/`)
        const outcomes = await page.evaluate<string[]>(`(async (url) => {
          const told = []
          const sent = async (path, init) => told.push(await fetch(url + path, { method: 'POST', ...init }).then((r) => r.type, () => 'refused'))
          for (const path of ['/api/queue/pause', '/api/cleanups']) {
            await sent(path, { mode: 'no-cors' })
            await sent(path, { mode: 'no-cors', body: '{}', headers: { 'content-type': 'application/json' } })
            await sent(path, { mode: 'no-cors', body: new URLSearchParams({ a: 'b' }) })
            await sent(path, { headers: { 'content-type': 'application/json' } })
            await sent(path, { headers: { 'content-type': 'application/json' }, body: '{}' })
            navigator.sendBeacon(url + path)
            navigator.sendBeacon(url + path, new Blob(['{}'], { type: 'application/json' }))
          }
          return told
        })('http://127.0.0.1:${port}')`)
        // What is sent without a question is answered unseen; what needs one is not sent.
        expect(outcomes).toEqual(['/api/queue/pause', '/api/cleanups'].flatMap(() => ['opaque', 'opaque', 'opaque', 'refused', 'refused']))
        await page.setContent(`<form method="post" action="http://127.0.0.1:${port}/api/cleanups"><button>go</button></form>`)
        await Promise.all([page.waitForURL(/api\/cleanups/), page.click('button')])
        expect(await page.content()).toContain('ORIGIN_FORBIDDEN')
        await nothingChanged()
      }
      await page.goto(`http://127.0.0.1:${port}/livez`)
      const own = await page.evaluate<number>("fetch('/api/queue/pause', { method: 'POST', headers: { 'content-type': 'application/json' } }).then((r) => r.status)")
      expect(own).toBe(200)
      expect(await backend.pauses.paused()).toEqual(['high', 'medium', 'low'])
    } finally {
      await browser.close()
    }
  }, 60_000)
})
