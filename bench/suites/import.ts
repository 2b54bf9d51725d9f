/**
 * Files of bars into the store and out again, beside plain readers of the same files in the same run.
 *
 * The plain CSV reader splits bytes, parses digits, checks nothing and keeps six columns; the plain Parquet reader is
 * hyparquet, whose columns are thrown away. Reading for an import checks every row and makes the months' blocks besides;
 * storing puts them into Postgres, with fsync.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { parquetRead } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { readSeriesFile } from '../../src/runtime/stored-series.js'
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
    for (const [kind, file, plain] of [['CSV', csv, plainCsv], ['Parquet', parquet, plainParquet]] as const) {
      const plainMs = await timed(() => plain(file, rows))
      const before = process.memoryUsage.rss()
      const watch = watched()
      let read: Awaited<ReturnType<typeof readSeriesFile>> | undefined
      const readMs = await timed(async () => { read = await readSeriesFile(pool, file, '1m') })
      const { peakRss, heldMs } = watch.stop()
      if (read === undefined || read.bars !== rows) throw new Error(`${kind}: ${read?.bars ?? 0} bars of ${rows}`)
      const key = { exchange: 'bench', symbol: kind.toUpperCase(), timeframe: '1m' }
      const storing = watched()
      const file0 = read
      const storeMs = await timed(() => runtime.backend.series.add(key, file0))
      const stored = storing.stop()
      figures.push(
        { name: `plain reader, ${kind}`, value: plainMs / 1000, unit: 's' },
        { name: `read, checked and blocked, ${kind}`, value: readMs / 1000, unit: 's' },
        { name: `that to the plain reader, ${kind}`, value: readMs / plainMs, unit: '×', target: { kind: 'max', value: 2 } },
        { name: `stored in Postgres, ${kind}`, value: storeMs / 1000, unit: 's' },
        { name: `main loop held at most, ${kind}`, value: Math.max(heldMs, stored.heldMs), unit: 'ms', target: { kind: 'max', value: 50 } },
        { name: `memory over before ÷ columns, ${kind}`, value: (peakRss - before) / (rows * COLUMN_BYTES), unit: '×', target: { kind: 'max', value: 3 } },
      )
    }
    const spec = { symbol: 'CSV', exchange: 'bench', timeframe: '1m', start_date: day(0), end_date: day(loaded - 1), strategy: { name: 'sma-cross' } }
    const loadMs = await timed(() => runtime.prepare({ taskType: TaskType.BACKTEST, roots: null, data: spec }))
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

/** The least that reading six numbers a line can cost in JavaScript. */
function plainCsv(path: string, rows: number): void {
  const bytes = readFileSync(path)
  const columns = Array.from({ length: 6 }, () => new Float64Array(rows))
  let at = bytes.indexOf(10) + 1
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < 6; column += 1) {
      let value = 0
      let scale = 0
      for (let byte = bytes[at]!; byte !== 44 && byte !== 10; byte = bytes[++at]!) {
        if (byte === 46) scale = 1
        else {
          value = value * 10 + (byte - 48)
          scale *= 10
        }
      }
      columns[column]![row] = scale > 1 ? value / scale : value
      at += 1
    }
  }
  if (columns[0]![rows - 1] !== START + (rows - 1) * MINUTE_MS) throw new Error('the plain reader read something else')
}

async function plainParquet(path: string): Promise<void> {
  const { size } = statSync(path)
  const bytes = readFileSync(path)
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + size)
  await parquetRead({ file: { byteLength: size, slice: (start, end) => buffer.slice(start, end) }, onChunk: () => undefined })
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
