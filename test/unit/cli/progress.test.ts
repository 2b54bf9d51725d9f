import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.js'
import type { Clock } from '../../../src/base/clock.js'
import { ProgressDisplay } from '../../../src/cli/progress.js'
import { formatDuration, formatNumber, textTable } from '../../../src/cli/text-table.js'

function stage(): { lines: string[]; display: ProgressDisplay; at: (ms: number, done: number, step?: string) => void } {
  let nowMs = 0
  const clock: Clock = { ...systemClock, monotonicMs: () => nowMs }
  const lines: string[] = []
  const display = new ProgressDisplay({ write: (text) => { lines.push(text) } }, clock, { run_chunks: 'combinations' })
  return {
    lines, display,
    at: (ms, done, step = 'run_chunks') => {
      nowMs = ms
      display.update({ status: 'processing', step, done, total: 100_000, threads: { total: 4, busy: 3 } })
    },
  }
}

test('on a pipe: nothing for short work, then a line every five seconds at most', () => {
  const { lines, at } = stage()
  for (let ms = 0; ms < 5000; ms += 100) at(ms, ms)
  expect(lines).toEqual([])
  for (let ms = 5000; ms <= 20_000; ms += 100) at(ms, ms)
  expect(lines).toHaveLength(4)
  expect(lines.at(-1)).toBe('run_chunks: 20 %, 20,000 of 100,000 combinations, 1,000/s, 1 min 20 s left, 3 of 4 threads busy\n')
})

test('the rate forgets what came before a resume or a step', () => {
  const { lines, at } = stage()
  at(0, 0)
  at(100, 90_000)
  for (let ms = 1000; ms <= 15_000; ms += 1000) at(ms, 90_000 + ms / 10)
  expect(lines.at(-1)).toContain(' 100/s')
  at(20_100, 99_000, 'rank')
  expect(lines.at(-1)).toBe('rank: 99 %, 99,000 of 100,000, 3 of 4 threads busy\n')
})

test('a line that stands still says for how long', () => {
  const { lines, at } = stage()
  for (let ms = 0; ms <= 25_000; ms += 5000) at(ms, 0, 'sync_bars')
  at(30_000, 10, 'sync_bars')
  expect(lines.map((line) => / no step forward for ([^,]+),/.exec(line)?.[1])).toEqual([undefined, '10.0 s', '15.0 s', '20.0 s', '25.0 s', undefined])
})

test('on a terminal: one bar, taken away at the end', () => {
  const written: string[] = []
  const terminal = { isTTY: true, columns: 120, write: (text: string) => { written.push(text); return true }, on: () => undefined, removeListener: () => undefined }
  const display = new ProgressDisplay(terminal, systemClock, {})
  display.update({ status: 'processing', step: 'run_chunks', done: 50, total: 100, threads: null })
  display.stop()
  display.stop()
  expect(written.join('')).toContain('run_chunks [')
  expect(written.join('')).not.toMatch(/NaN|undefined|Infinity/)
})

test('numbers for people', () => {
  expect([0, 42, 123_456, 1234.567, 25.5, 0.65, 0.000_123_4, -3.14159, Number.NaN].map(formatNumber))
    .toEqual(['0', '42', '123,456', '1,234.57', '25.50', '0.65', '0.000123', '-3.1416', '-'])
  expect([3, 999, 12_340, 80_000, 3_725_000].map(formatDuration)).toEqual(['3 ms', '999 ms', '12.3 s', '1 min 20 s', '1 h 2 min 05 s'])
  expect(textTable(['name', 'n'], [['a', 1], ['long name', 1000], ['none', null]])).toBe('name           n\n---------  -----\na              1\nlong name  1,000\nnone           -')
})
