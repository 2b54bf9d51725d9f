/**
 * Files of bars into the store and out again, beside plain readers of the same files in the same run.
 *
 * The plain CSV reader splits bytes, parses digits, checks nothing and keeps six columns; the plain Parquet reader is
 * hyparquet, whose columns are thrown away. Reading for an import checks every row and makes the months' blocks besides;
 * storing puts them into Postgres, with fsync.
 */
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { systemClock } from '../../src/base/clock.js'
import { BarCache } from '../../src/runtime/bar-cache.js'
import { readSeriesFile } from '../../src/runtime/series-file.js'
import { PostgresBarArchive } from '../../src/store/bar-archive.js'
import { Postgres } from '../../src/store/postgres.js'
import type { SeriesFile } from '../../src/tasks/bar-series.js'
import { TaskType } from '../../src/tasks/task.js'
import type { Figure, Suite } from '../figure.js'
import { openWorkplace } from '../workplace.js'

const MINUTE_MS = 60_000
const START = Date.UTC(2015, 0, 1)
const COLUMN_BYTES = 6 * 8
const SPREAD_MS = 5

export const importSuite: Suite = async ({ smoke, stateDir }) => {
  const rows = smoke ? 20_000 : 5_000_000
  const loaded = smoke ? 20_000 : 5 * 525_600
  const folder = join(stateDir, 'bench', 'import')
  mkdirSync(folder, { recursive: true })
  const csv = csvFile(join(folder, `bars-${rows}.csv`), rows)
  const parquet = parquetFile(join(folder, `bars-${rows}.parquet`), rows)
  const place = await openWorkplace(stateDir, 'client', 1)
  try {
    const { pool, runtime } = place
    // Threads are there before anything is measured.
    await pool.run({ step: 'echo', input: {}, priority: 'high', divisible: true, userCode: false })
    const figures: Figure[] = []
    for (const [kind, file, name] of [['CSV', csv, 'csv'], ['Parquet', parquet, 'parquet']] as const) {
      const before = process.memoryUsage.rss()
      const reading = watched()
      const readMs = await timed(async () => { await drained(readSeriesFile(pool, file, '1m')) })
      const { peakRss, heldMs } = reading.stop()
      const importing = watched()
      const key = { exchange: 'bench', symbol: kind.toUpperCase(), timeframe: '1m' }
      let added = 0
      const importMs = await timed(async () => { added = (await runtime.backend.series.add(key, readSeriesFile(pool, file, '1m'))).added })
      if (added !== rows) throw new Error(`${kind}: ${added} bars of ${rows}`)
      const imported = importing.stop()
      // Last: memory that it had is not given back at once.
      const plain = await plainMs(name, file, rows)
      figures.push(
        { name: `plain reader, ${kind}`, value: plain / 1000, unit: 's' },
        { name: `read, checked and blocked, ${kind}`, value: readMs / 1000, unit: 's' },
        { name: `that to the plain reader, ${kind}`, value: readMs / plain, unit: '×', target: { kind: 'max', value: 2 } },
        { name: `imported: stored in Postgres as well, ${kind}`, value: importMs / 1000, unit: 's' },
        { name: `that to the plain reader, ${kind}`, value: importMs / plain, unit: '×', target: { kind: 'max', value: 2 } },
        { name: `main loop held at most, ${kind}`, value: Math.max(heldMs, imported.heldMs), unit: 'ms', target: { kind: 'max', value: 50 } },
        { name: `memory over before ÷ columns, ${kind}`, value: (Math.max(peakRss, imported.peakRss) - before) / (rows * COLUMN_BYTES), unit: '×', target: { kind: 'max', value: 3 } },
      )
    }
    const spec = { symbol: 'CSV', exchange: 'bench', timeframe: '1m', start_date: day(0), end_date: day(loaded - 1), strategy: { name: 'sma-cross' } }
    // Accepted, and run by nobody: its bars are in the store then, as any worker finds them.
    const { taskId } = await runtime.backend.submit({ taskType: TaskType.BACKTEST, roots: null, data: spec })
    const { data } = await runtime.backend.task(taskId)
    const postgres = new Postgres({ databaseUrl: place.schemaUrl })
    const cache = new BarCache(new PostgresBarArchive(postgres), pool, systemClock, 2 ** 30)
    const loadMs = await timed(() => cache.acquire(String(data['data_hash'])))
    cache.close()
    await postgres.close()
    figures.push({ name: `${loaded.toLocaleString('en-US')} bars, store to shared memory`, value: loadMs / 1000, unit: 's', target: { kind: 'max', value: 1 } })
    return { suite: 'import', limit: `${rows.toLocaleString('en-US')} bars; one thread`, figures }
  } finally {
    await place.close()
  }
}

const day = (bar: number): string => new Date(START + bar * MINUTE_MS).toISOString().slice(0, 10)

function bar(i: number): readonly [open: number, high: number, low: number, close: number, volume: number] {
  const open = 20_000 + (i % 9973) / 10
  const close = 20_000 + ((i * 7) % 9967) / 10
  return [open, Math.max(open, close) + 1.5, Math.min(open, close) - 1.5, close, (i % 8191) / 16]
}

function csvFile(path: string, rows: number): string {
  if (existsSync(path)) return path
  const fd = openSync(path, 'w')
  writeSync(fd, 'time,open,high,low,close,volume\n')
  for (let from = 0; from < rows; from += 50_000) {
    const lines = Array.from({ length: Math.min(50_000, rows - from) }, (_, n) => `${START + (from + n) * MINUTE_MS},${bar(from + n).join(',')}\n`)
    writeSync(fd, lines.join(''))
  }
  closeSync(fd)
  return path
}

function parquetFile(path: string, rows: number): string {
  if (existsSync(path)) return path
  const column = (of: (i: number) => number): number[] => Array.from({ length: rows }, (_, i) => of(i))
  const prices = (['open', 'high', 'low', 'close', 'volume'] as const).map((name, at) => ({ name, data: column((i) => bar(i)[at] ?? 0), type: 'DOUBLE' as const }))
  const time = { name: 'time', data: Array.from({ length: rows }, (_, i) => BigInt(START + i * MINUTE_MS)), type: 'INT64' as const }
  writeFileSync(path, new Uint8Array(parquetWriteBuffer({ columnData: [time, ...prices] })))
  return path
}

/** In a thread of its own: what it leaves behind must not burden what is measured next. */
function plainMs(kind: 'csv' | 'parquet', path: string, rows: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('../plain-reader.js', import.meta.url), { workerData: { kind, path, rows } })
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

/** Its months are taken and thrown away. */
async function drained(file: SeriesFile): Promise<void> {
  for await (const months of file.months) void months
}

async function timed(run: () => unknown): Promise<number> {
  const fromMs = performance.now()
  await run()
  return performance.now() - fromMs
}

/** Peak memory of the process, and the longest time between two turns of the main loop less the pause asked for. */
function watched(): { stop: () => { peakRss: number; heldMs: number } } {
  let peakRss = process.memoryUsage.rss()
  let heldMs = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    heldMs = Math.max(heldMs, now - last - SPREAD_MS)
    last = now
    peakRss = Math.max(peakRss, process.memoryUsage.rss())
  }, SPREAD_MS)
  return { stop: () => { clearInterval(timer); return { peakRss, heldMs } } }
}
