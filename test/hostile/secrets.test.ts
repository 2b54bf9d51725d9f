/** What a user's environment holds stays there: the servers that outlive a command do not have it, and nothing that is printed shows it. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import { BybitKlines } from '../../src/exchange/bybit.js'
import { findPlace } from '../../src/services/place.js'
import { openServices } from '../../src/services/services.js'
import type { Services } from '../../src/services/services.js'
import { shareRedisProgram } from '../faults/own-servers.js'

const SECRET = 'hunter2-of-the-cloud'
const PLANTED = { AWS_SECRET_ACCESS_KEY: SECRET, API_TOKENS: SECRET, BYBIT_URL: `https://x:${SECRET}@api.bybit.com`, PGAPPNAME: SECRET, HTTPS_PROXY: `http://u:${SECRET}@proxy` }

let stateDir: string
let services: Services
const before = { ...process.env }
beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'sweepmill-secrets-'))
  shareRedisProgram(stateDir)
  Object.assign(process.env, PLANTED)
  services = await openServices({ stateDir, graceMs: 300 })
  process.env = before
})
afterAll(async () => {
  await services.stop()
  const { folder } = findPlace(stateDir)
  for (const path of [folder, stateDir]) rmSync(path, { recursive: true, force: true })
})

const environmentOf = (pid: number): string[] => readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter((one) => one !== '')

test('the embedded servers have a path, a language and a time zone, and no secret of whoever started them', async () => {
  const client = new pg.Client({ connectionString: services.databaseUrl })
  await client.connect()
  // What a program sees that Postgres runs.
  await client.query("create temp table seen (line text); copy seen from program 'env'")
  const given = (await client.query<{ line: string }>('select line from seen')).rows.map(({ line }) => line)
  await client.end()
  const ownOfPostgres = /^(PG.*|PWD|SHLVL|_|OLDPWD)$/
  expect(given.map((one) => one.split('=')[0] ?? '').filter((one) => !/^(PATH|LANG|LANGUAGE|LC_.*|TZ|TZDIR|LD_LIBRARY_PATH)$/.test(one) && !ownOfPostgres.test(one))).toEqual([])
  expect(given.some((one) => one.startsWith('PATH='))).toBe(true)
  expect(given.join()).not.toContain(SECRET)
  for (const name of ['redis', 'postgres']) {
    const { pid } = JSON.parse(readFileSync(join(findPlace(stateDir).folder, `${name}.run`), 'utf8')) as { pid: number }
    expect(environmentOf(pid).join()).not.toContain(SECRET)
    // Its owner may read the supervisor's: a proxy is all of the user's that it may have.
    const [, parent] = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    expect(environmentOf(Number(parent)).filter((one) => one.includes(SECRET)).map((one) => one.split('=')[0])).toEqual(['HTTPS_PROXY'])
  }
})

test('"config" shows no credentials of any address, as a table or as JSON', () => {
  const env = { PATH: process.env['PATH'], HOME: stateDir, REDIS_URL: `redis://${SECRET}@r`, DATABASE_URL: `postgres://u:${SECRET}@d/q?sslpassword=${SECRET}`, BYBIT_URL: `${PLANTED.BYBIT_URL}/?sig=${SECRET}` }
  for (const flags of [[], ['--wide'], ['--json']]) {
    const shown = execFileSync(process.execPath, [join(packageRoot, 'dist/src/cli/main.js'), 'config', ...flags], { env, encoding: 'utf8' })
    expect(shown).toContain('api.bybit.com')
    expect(shown).not.toContain(SECRET)
  }
})

test('a name and a password in BYBIT_URL reach the exchange and no message', async () => {
  const heard: (string | undefined)[] = []
  const server = createServer((request, response) => {
    heard.push(request.headers.authorization)
    response.end('{}')
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  const page = { category: 'linear', symbol: 'BTCUSDT', timeframe: '1m', fromMs: 0, toMs: 60_000 } as const
  const exchange = new BybitKlines(`http://me:p%40ss-${SECRET}@127.0.0.1:${port}`)
  expect((await exchange.page(page, AbortSignal.timeout(60_000))).kind).toBe('body')
  expect(heard).toEqual([`Basic ${Buffer.from(`me:p@ss-${SECRET}`).toString('base64')}`])
  await new Promise((resolve) => { server.close(resolve) })
  const refused = await exchange.page(page, AbortSignal.timeout(60_000))
  expect(refused).toMatchObject({ kind: 'again' })
  expect(JSON.stringify(refused)).not.toContain(SECRET)
})
