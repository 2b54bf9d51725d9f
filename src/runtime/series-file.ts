/** A file of bars into months, by a thread; each month goes on as soon as the file is past it. */
import { once } from 'node:events'
import { basename } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { batches } from '../base/batches.js'
import { Lead } from '../base/lead.js'
import type { Reading } from '../market/reading.js'
import type { FileFacts, NewBlock, SeriesFile } from '../tasks/bar-series.js'
import type { ComputePool } from '../tasks/compute-pool.js'
import { newBlock, toBlock } from '../workflows/series-months.js'
import type { MonthFacts } from '../workflows/series-months.js'

/** So much is handed on together: a transaction for each month of minutes, which has 2 MiB, costs Postgres twice the time. */
const TOGETHER_BYTES = 2 ** 23

/** Begins at once, and is ahead of whoever takes the months by some of them. Whoever stops taking them ends the reading. */
export function readSeriesFile(pool: ComputePool, file: string, timeframe: string, reading: Reading = {}): SeriesFile {
  const { port1: theirs, port2: ours } = new MessageChannel()
  const stop = new AbortController()
  const lead = new Lead()
  const come = { blocks: [] as NewBlock[], messages: 0, over: false }
  ours.on('message', ({ facts, bytes }: { facts: MonthFacts; bytes: Uint8Array }) => {
    come.blocks.push(toBlock(facts, bytes))
    come.messages += 1
  })

  async function read(): Promise<FileFacts> {
    try {
      const reply = await pool.run({
        step: 'read_series_file', input: { file, source: basename(file), timeframe, reading }, shared: { lead: lead.buffer },
        port: theirs, signal: stop.signal, priority: 'high', divisible: false, userCode: false,
      })
      const { bars, warnings, notes, sent, months } = JSON.parse(reply.json) as { bars: number; warnings: string[]; notes: string[]; sent: number; months: MonthFacts[] }
      // The reply and what was sent before it come by different ways.
      while (come.messages < sent) await once(ours, 'message')
      come.blocks.push(...months.map((facts) => newBlock(facts, reply)))
      return { bars, months: sent + months.length, warnings, notes }
    } finally {
      come.over = true
      ours.close()
    }
  }

  const facts = read()
  const begun = Promise.race([once(ours, 'message'), facts])
  // Whoever looks at one of them learns of it; nobody need look at both.
  for (const promise of [facts, begun]) promise.catch(() => undefined)

  async function* months(): AsyncGenerator<readonly NewBlock[]> {
    try {
      for (;;) {
        while (!come.over && sizeOf(come.blocks) < TOGETHER_BYTES) await Promise.race([once(ours, 'message'), facts])
        if (come.blocks.length === 0) break
        const [some = [], ...more] = batches(come.blocks, ({ bytes }) => bytes.length, TOGETHER_BYTES)
        come.blocks = more.flat()
        for (const { bytes } of some) lead.took(bytes.length)
        yield some
      }
      await facts
    } finally {
      if (!come.over) stop.abort()
    }
  }
  return { name: basename(file), months: months(), begun, facts }
}

function sizeOf(blocks: readonly NewBlock[]): number {
  return blocks.reduce((sum, { bytes }) => sum + bytes.length, 0)
}
