/**
 * Small backtests while a new thread is idle, so that V8 has compiled the engine when the first real one comes: over a year of
 * minutes it takes 90 ms then instead of 200. A step that comes meanwhile waits for one of them, 40 ms at most.
 */
import { setTimeout } from 'node:timers/promises'
import { seededRandom } from '../src/base/random.js'
import { createBars } from '../src/market/bars.js'
import type { Bars } from '../src/market/layout.js'
import { backtest } from './steps/backtest.js'

/** A thread that is asked again and again is left alone. */
const IDLE_MS = 20
/** What was not idle until then has other work, and does not wait for this. */
const GIVE_UP_MS = 30_000
/** Many short ones, and at last one of each kind whose count of bars, squared, is no small number to V8. */
const BARS: readonly number[] = [2000, 2000, 2000, 2000, 50_000]
/** Each kernel, and the common orders. */
const EXECUTIONS: readonly Record<string, unknown>[] = [{}, { direction: 'both', stop_loss: 0.01, take_profit: 0.02 }, { direction: 'both', stop_loss: { atr: 14, multiple: 3 }, intrabar_path: 'adaptive' }]

/** `idleMs`: since when the thread has had nothing to do. */
export function warmUp(idleMs: () => number): void {
  // V8 throws away all code for typed arrays when a thread gives a buffer away for the first time, which is after the first
  // backtest; so that happens now.
  const buffer = new ArrayBuffer(8)
  structuredClone(buffer, { transfer: [buffer] })
  runAll(idleMs).catch(() => undefined)
}

async function runAll(idleMs: () => number): Promise<void> {
  const endMs = performance.now() + GIVE_UP_MS
  for (const length of BARS) {
    const bars = randomWalk(length)
    for (const execution of EXECUTIONS) {
      while (idleMs() < IDLE_MS) {
        if (performance.now() > endMs) return
        await pause(IDLE_MS)
      }
      const spec = { strategy: { name: 'sma-cross', params: { fast: 5, slow: 20 } }, data_hash: bars.hash, execution }
      await backtest({ input: { spec }, bytes: {}, shared: { bars: bars.buffer }, port: null, pulse: { beat: () => false } })
      // Through the event loop, so that a step goes first.
      await pause(1)
    }
  }
}

/** Holds up no end of the thread. */
function pause(ms: number): Promise<void> {
  return setTimeout(ms, undefined, { ref: false })
}

function randomWalk(length: number): Bars {
  const random = seededRandom(1)
  const column = (): Float64Array => new Float64Array(length)
  const bars = { length, time: column(), open: column(), high: column(), low: column(), close: column(), volume: column() }
  let price = 20_000
  for (let i = 0; i < length; i += 1) {
    const open = price
    price *= 1 + (random.next() - 0.5) * 0.01
    bars.time[i] = Date.UTC(2024, 0, 1) + i * 60_000
    bars.open[i] = open
    bars.close[i] = price
    bars.high[i] = Math.max(open, price) * 1.001
    bars.low[i] = Math.min(open, price) * 0.999
    bars.volume[i] = random.next()
  }
  return createBars(bars, { source: 'warm-up', warnings: [] })
}
