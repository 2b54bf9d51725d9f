/**
 * Something between this program and its servers changes bytes. What was changed inside a value nobody can tell (TLS can);
 * but no process ends, no statement waits for ever, and once it stops every task is completed.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { SweepmillError } from '../../src/base/errors.js'
import { seededRandom } from '../../src/base/random.js'
import { RedisTaskStream } from '../../src/queue/redis-task-stream.js'
import { readBlocks, writeBlocks } from '../../src/store/block-rows.js'
import { Postgres } from '../../src/store/postgres.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'
import { settleAndCheck } from './invariants.js'
import { Children } from './processes.js'
import { openProxy, through } from './proxy.js'
import type { Proxy } from './proxy.js'

let bed: TestBed
let toPostgres: Proxy
let toRedis: Proxy
const children = new Children()
const escaped: unknown[] = []
const note = (error: unknown): void => { escaped.push(error) }
beforeAll(async () => {
  bed = await openTestBed()
  await (await bed.open({ role: 'client' })).close()
  const proxyOf = (url: string): Promise<Proxy> => openProxy({ host: new URL(url).hostname, port: Number(new URL(url).port) })
  toPostgres = await proxyOf(bed.databaseUrl)
  toRedis = await proxyOf(bed.redisUrl)
  process.on('uncaughtException', note)
  process.on('unhandledRejection', note)
})
afterEach(async () => {
  toPostgres.heal()
  toRedis.heal()
  await children.killAll()
  expect(escaped.splice(0)).toEqual([])
})
afterAll(async () => {
  process.off('uncaughtException', note)
  process.off('unhandledRejection', note)
  await toPostgres.close()
  await toRedis.close()
  await bed.close()
})

/** One byte in some pieces is another, is missing, or comes twice. */
function changing(seed: number, share: number): (piece: Buffer) => Buffer {
  const random = seededRandom(seed)
  return (piece) => {
    if (piece.length === 0 || random.next() >= share) return piece
    const at = Math.floor(random.next() * piece.length)
    const kind = Math.floor(random.next() * 3)
    if (kind === 0) return Buffer.concat([piece.subarray(0, at), piece.subarray(at + 1)])
    if (kind === 1) return Buffer.concat([piece.subarray(0, at), piece.subarray(at, at + 1), piece.subarray(at)])
    const changed = Buffer.from(piece)
    changed[at] = Math.floor(random.next() * 256)
    return changed
  }
}

const replaced = (bytes: Uint8Array) => (piece: Buffer): Buffer => Buffer.concat([bytes, piece.subarray(Math.min(bytes.length, piece.length))])
const frame = (kind: string, length: number, rest: readonly number[] = []): Buffer => {
  const bytes = Buffer.from([kind.charCodeAt(0), 0, 0, 0, 0, ...rest])
  bytes.writeUInt32BE(length, 1)
  return bytes
}
const faces: readonly (readonly [string, (piece: Buffer) => Buffer])[] = [
  ['a kind that there is none of', replaced(frame('?', 8))],
  ['a length of nothing', replaced(frame('D', 0))],
  ['a length of four gigabytes', replaced(frame('D', 0xff_ff_ff_ff))],
  ['a length of almost one gigabyte', replaced(frame('D', 2 ** 30 - 1))],
  ['a row with fewer columns than none', replaced(frame('D', 6, [0xff, 0xff]))],
  ['a row whose value goes on past its end', replaced(frame('D', 10, [0, 1, 0x7f, 0xff, 0xff, 0xff]))],
  ['columns that are not there', replaced(frame('T', 6, [0x7f, 0xff]))],
  ['an error without an end', () => frame('E', 10, [83, 65, 66, 67, 68, 69])],
  ['a notice without an end', () => frame('N', 10, [83, 65, 66, 67, 68, 69])],
  ['an error that says nothing', () => frame('E', 6, [0, 0])],
  ['a COPY that nobody asked for', () => Buffer.concat([frame('G', 7, [0, 0, 0]), frame('d', 5, [1])])],
  ['text of another protocol', () => Buffer.from('HTTP/1.1 502 Bad Gateway\r\n\r\n')],
  ['the same answer twice', (piece) => Buffer.concat([piece, piece])],
  ['nothing but zeros', (piece) => Buffer.alloc(piece.length)],
]

/** Ends, and if not well, with the one code; 'well' may carry changed values. */
async function told(work: Promise<unknown>): Promise<string> {
  return work.then(() => 'well', (error: unknown) => (error instanceof SweepmillError ? error.code : `not ours: ${String(error)}`))
}

test.each(faces)('Postgres seems to answer with %s', async (_what, change) => {
  const postgres = new Postgres({ databaseUrl: through(bed.databaseUrl, toPostgres), maxConnections: 1, answerMs: 500 })
  try {
    await postgres.query('select 1 as n')
    toPostgres.change(change)
    expect(await told(postgres.query('select 1 as n'))).toMatch(/^(POSTGRES_UNAVAILABLE|well)$/)
    expect(await told(postgres.transaction((client) => client.query('select 2 as n')))).toMatch(/^(POSTGRES_UNAVAILABLE|well)$/)
    toPostgres.heal()
    await eventually('a sound connection', async () => (await postgres.query<{ n: number }>('select 1 as n').catch(() => []))[0]?.n === 1)
  } finally {
    toPostgres.heal()
    await postgres.close()
  }
})

test('statements and COPYs under random changes end, and leave no connection behind that is out of step', async () => {
  const seed = Number(process.env['FAULT_SEED'] ?? 1)
  const postgres = new Postgres({ databaseUrl: through(bed.databaseUrl, toPostgres), maxConnections: 4, answerMs: 300 })
  const block = { hash: 'h', month: '2024-01', bars: 1, bytes: new Uint8Array(50_000).fill(7) }
  try {
    await writeBlocks(postgres, [block])
    toPostgres.change(changing(seed, 0.3))
    const codes = new Set<string>()
    for (let round = 0; round < 30; round += 1) {
      const outcomes = await Promise.all([
        told(postgres.query('select g as n, now() as at, \'{"a": [1, 2]}\'::jsonb as doc from generate_series(1, 50) g')),
        told(postgres.prepared('one', 'select $1::int8 as n', [round])),
        told(postgres.transaction(async (client) => { await client.query('select count(*) from tasks') })),
        told(readBlocks(postgres, ['h'])),
      ])
      for (const outcome of outcomes) codes.add(outcome)
    }
    toPostgres.heal()
    expect([...codes].filter((code) => code !== 'well' && code !== 'POSTGRES_UNAVAILABLE')).toEqual([])
    expect(codes.size).toBe(2)
    await eventually('sound connections', async () => {
      const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => postgres.query<{ n: number }>('select $1::int as n', [i]).catch(() => [])))
      return answers.every((rows, i) => rows[0]?.n === i)
    })
  } finally {
    toPostgres.heal()
    await postgres.close()
  }
})

const redisFaces: readonly (readonly [string, string])[] = [
  ['an answer that nobody asked for', '+OK\r\n'],
  ['nothing that nobody asked for', '$-1\r\n_\r\n'],
  ['a push of nothing', '>1\r\n_\r\n'],
  ['a push that lacks its channel', '>1\r\n$9\r\nsubscribe\r\n'],
  ['a list of a billion', '*1000000000\r\n'],
  ['a list of fewer than none', '*-7\r\n'],
  ['a text of a terabyte', '$1000000000000\r\n'],
  ['a number that is none', ':12x4\r\n'],
  ['a kind that there is none of', '?\r\n'],
  ['an error that nobody asked for', '-ERR no\r\n'],
]

test.each(redisFaces)('Redis seems to answer with %s', async (_what, bytes) => {
  const stream = new RedisTaskStream({ redisUrl: through(bed.redisUrl, toRedis), keyPrefix: bed.prefix, consumer: 'c', pollMs: 100 })
  try {
    await stream.connect()
    let once = true
    toRedis.change((piece) => {
      if (!once) return piece
      once = false
      return Buffer.concat([Buffer.from(bytes), piece])
    })
    const answers = await Promise.all([told(stream.lengths()), told(stream.ping()), told(stream.identity('e'))])
    expect(answers.filter((code) => code !== 'well' && code !== 'REDIS_UNAVAILABLE')).toEqual([])
    toRedis.heal()
    // Not one step behind: each answer is that of its own question.
    await eventually('a sound connection', async () => typeof (await stream.identity('e').catch(() => null))?.epoch === 'string'
      && (await stream.delayedCount().catch(() => -1)) === 0)
    expect(await stream.lengths()).toEqual({ high: 0, medium: 0, low: 0 })
  } finally {
    await stream.close()
  }
})

const TASKS = 60

test('a worker whose connections to both servers are changed lives, and every task is completed once that ends', async () => {
  const seed = Number(process.env['FAULT_SEED'] ?? 1)
  const client = await bed.open({ role: 'client' })
  const worker = children.start({ role: 'worker' }, {
    ...bed.environment, REDIS_URL: through(bed.redisUrl, toRedis), DATABASE_URL: through(bed.databaseUrl, toPostgres),
  })
  await eventually('the worker', () => Promise.resolve(worker.messages.length > 0))
  let changed = 0
  const counting = (change: (piece: Buffer) => Buffer) => (piece: Buffer): Buffer => {
    const now = change(piece)
    if (now !== piece) changed += 1
    return now
  }
  toPostgres.change(counting(changing(seed, 0.05)))
  toRedis.change(counting(changing(seed + 1, 0.05)))
  const accepted = await client.queue.enqueueTasks(Array.from({ length: TASKS }, (_, i) => ({ taskType: 'noop', data: { i }, priority: 'high' as const, maxRetries: 100 })))
  await eventually('some changes', () => Promise.resolve(changed >= 15 || worker.process.exitCode !== null))
  toPostgres.heal()
  toRedis.heal()
  const tally = await settleAndCheck(bed, accepted)
  expect(worker.process.exitCode ?? worker.process.signalCode).toBeNull()
  expect(tally).toMatchObject({ accepted: TASKS, completed: TASKS })
})
