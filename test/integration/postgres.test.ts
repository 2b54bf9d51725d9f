/** Connections to Postgres that go silent or break: what was under way is refused, and nobody gets such a connection again. */
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readBlocks, writeBlocks } from '../../src/store/block-rows.js'
import { Postgres } from '../../src/store/postgres.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'

let bed: TestBed
let way: Server
let postgres: Postgres
/** What comes from the program to Postgres goes through here. */
let pass: (piece: Buffer, to: Socket, from: Socket) => void
const forward = (piece: Buffer, to: Socket): void => { to.write(piece) }

beforeEach(async () => {
  bed = await openTestBed()
  await (await bed.open({ role: 'client' })).close()
  const real = new URL(bed.databaseUrl)
  pass = forward
  way = createServer((from) => {
    const to = connect(Number(real.port), real.hostname)
    from.on('data', (piece) => { pass(piece, to, from) })
    to.pipe(from)
    for (const [one, other] of [[from, to], [to, from]] as const) one.on('error', () => undefined).on('close', () => other.destroy())
  })
  way.listen(0, '127.0.0.1')
  await once(way, 'listening')
  const url = new URL(real)
  url.hostname = '127.0.0.1'
  url.port = String((way.address() as AddressInfo).port)
  postgres = new Postgres({ databaseUrl: url.href, maxConnections: 1, answerMs: 300 })
  await postgres.query('select 1')
})
afterEach(async () => {
  await postgres.close()
  way.close()
  await bed.close()
})

async function answers(): Promise<void> {
  pass = forward
  await postgres.transaction(async (client) => { await client.query('select 1') })
}

test.each([
  ['before a transaction has begun', () => postgres.transaction(() => Promise.resolve())],
  ['in a transaction', () => postgres.transaction(async (client) => {
    pass = () => undefined
    await client.query('select 1')
  })],
  ['in a single statement', () => postgres.withClient(async (client) => { await client.query('select 1') })],
])('a connection that goes silent %s is given up', async (where, work) => {
  pass = where.startsWith('in a transaction') ? forward : () => undefined
  await expect(work()).rejects.toMatchObject({ code: 'POSTGRES_UNAVAILABLE', message: expect.stringContaining('timeout') as string })
  await answers()
})

test('a connection that ends while blocks are sent is Postgres being away, whichever way the socket says it', async () => {
  let sent = 0
  pass = (piece, to, from) => {
    sent += piece.length
    if (sent < 300_000) to.write(piece)
    else {
      // It reads no more: the program learns of the end by writing.
      from.pause().end()
      to.destroy()
    }
  }
  await expect(writeBlocks(postgres, [{ hash: 'x', month: '2024-01', bars: 1, bytes: new Uint8Array(9_000_000) }])).rejects.toMatchObject({ code: 'POSTGRES_UNAVAILABLE' })
  await answers()
  expect(await bed.sql('select 1 from bar_blocks')).toEqual([])
})

test('blocks of a large file travel in several statements, because each may take only so long', async () => {
  const statements: string[] = []
  pass = (piece, to) => {
    statements.push(...piece.toString('latin1').match(/copy bar_blocks/g) ?? [])
    to.write(piece)
  }
  const large = new Postgres({ databaseUrl: postgres.options.databaseUrl, maxConnections: 1 })
  const blocks = Array.from({ length: 5 }, (_, i) => ({ hash: `h${i}`, month: '2024-01', bars: i, bytes: new Uint8Array(3 * 2 ** 20 * (i === 4 ? 3 : 1)).fill(i) }))
  try {
    await writeBlocks(large, blocks)
    const read = await readBlocks(large, blocks.map(({ hash }) => hash))
    expect(read.map((bytes) => [bytes.length, bytes.at(-1)])).toEqual(blocks.map(({ bytes }, i) => [bytes.length, i]))
  } finally {
    await large.close()
  }
  expect(statements).toHaveLength(3)
})
