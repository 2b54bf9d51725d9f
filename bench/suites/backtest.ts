/**
 * One backtest over a year of minutes in a thread, bars loaded, everything a report needs with it: metrics, trades and
 * equity as bytes. By kernel: the fast one, and the full one along supposed paths within each bar.
 */
import { createHash } from 'node:crypto'
import { systemClock } from '../../src/base/clock.js'
import { seededRandom } from '../../src/base/random.js'
import { createBars } from '../../src/market/bars.js'
import type { Bars } from '../../src/market/layout.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import { quantile } from '../figure.js'
import type { Figure, Suite } from '../figure.js'

const MINUTE_MS = 60_000
/** Bars of half a million minutes come out of the store in less. */
const LOADING_MS = 400
const EXECUTIONS: readonly (readonly [name: string, execution: Record<string, unknown>])[] = [
  ['market entries', {}],
  ['both sides, stop and target', { direction: 'both', stop_loss: 0.01, take_profit: 0.02 }],
  ['ATR stop, path within the bar', { direction: 'both', stop_loss: { atr: 14, multiple: 3 }, intrabar_path: 'adaptive' }],
]

export const backtestSuite: Suite = async ({ smoke }) => {
  const bars = yearOfMinutes(smoke ? 5000 : 525_600)
  const hash = createHash('sha256')
  const figures: Figure[] = []
  for (const [name, execution] of EXECUTIONS) {
    const pool = createComputePool({ threads: 1, clock: systemClock })
    try {
      const spec = { strategy: { name: 'sma-cross', params: { fast: 30, slow: 90 } }, data_hash: bars.hash, execution: { fee_rate: 0.0001, ...execution } }
      const run = async (): Promise<number> => {
        const { json, bytes, threadMs } = await pool.run({ step: 'backtest', input: { spec }, shared: { bars: bars.buffer }, priority: 'high', divisible: false, userCode: false })
        const { total_trades: trades } = JSON.parse(json) as { total_trades: number }
        if (!(trades > (smoke ? 10 : 1000))) throw new Error(`${trades} trades are no load`)
        hash.update(bytes['trades'] ?? '').update(bytes['equity'] ?? '')
        return threadMs
      }
      // A thread is there, as it is while a task's bars are loaded.
      await pool.run({ step: 'echo', input: {}, priority: 'high', divisible: true, userCode: false })
      await systemClock.sleep(LOADING_MS)
      const first = await run()
      const samples: number[] = []
      for (let i = 0; i < (smoke ? 2 : 20); i += 1) samples.push(await run())
      const target = { kind: 'max', value: 150 } as const
      figures.push(
        { name: `${name}: in the thread`, value: quantile(samples, 0.5), unit: 'ms', target },
        { name: `${name}: the first of its thread`, value: first, unit: 'ms', target },
      )
    } finally {
      await pool.close()
    }
  }
  return { suite: 'backtest', limit: `${bars.length.toLocaleString('en-US')} bars, about 30 passes over 8-byte columns`, figures, resultHash: hash.digest('hex') }
}

/** A random walk, the same each time. */
function yearOfMinutes(length: number): Bars {
  const random = seededRandom(1)
  const column = (): Float64Array => new Float64Array(length)
  const columns = { length, time: column(), open: column(), high: column(), low: column(), close: column(), volume: column() }
  let price = 20_000
  for (let i = 0; i < length; i += 1) {
    const open = price
    price *= 1 + (random.next() - 0.5) * 0.002
    columns.time[i] = Date.UTC(2023, 0, 1) + i * MINUTE_MS
    columns.open[i] = open
    columns.close[i] = price
    columns.high[i] = Math.max(open, price) * (1 + random.next() * 0.0005)
    columns.low[i] = Math.min(open, price) * (1 - random.next() * 0.0005)
    columns.volume[i] = random.next() * 100
  }
  return createBars(columns, { source: 'bench', warnings: [] })
}
