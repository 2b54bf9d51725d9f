import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.js'
import type { Clock } from '../../../src/base/clock.js'
import { ProgressDisplay } from '../../../src/cli/progress.js'
import { stepInWords } from '../../../src/cli/step-words.js'
import { fittedTable, formatDuration, formatNumber, textTable } from '../../../src/cli/text-table.js'

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
  expect(lines.at(-1)).toBe('running trials: 20 %, 20,000 of 100,000 combinations, 1,000/s, 1 min 20 s left, 3 of 4 threads busy\n')
})

test('the rate forgets what came before a resume or a step', () => {
  const { lines, at } = stage()
  at(0, 0)
  at(100, 90_000)
  for (let ms = 1000; ms <= 15_000; ms += 1000) at(ms, 90_000 + ms / 10)
  expect(lines.at(-1)).toContain(' 100/s')
  at(20_100, 99_000, 'rank')
  expect(lines.at(-1)).toBe('ranking trials: 99 %, 99,000 of 100,000, 3 of 4 threads busy\n')
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
  expect(written.join('')).toContain('running trials [')
  expect(written.join('')).not.toMatch(/NaN|undefined|Infinity/)
})

const ESCAPE = String.fromCharCode(27)

test('on a terminal of 80 columns nothing is cut off', () => {
  let nowMs = 0
  const written: string[] = []
  const terminal = { isTTY: true, columns: 80, write: (text: string) => { written.push(text); return true }, on: () => undefined, removeListener: () => undefined }
  const display = new ProgressDisplay(terminal, { ...systemClock, monotonicMs: () => nowMs }, { run_chunks: 'combinations' })
  for (; nowMs <= 2000; nowMs += 1000) display.update({ status: 'processing', step: 'run_chunks', done: 16_152 + nowMs, total: 122_982, threads: { total: 2, busy: 2 } })
  display.stop()
  const lines = written.join('').split(new RegExp(`${ESCAPE}\\[[0-9;?]*[A-Za-z]|${ESCAPE}[78]|\r|\n`)).filter((text) => text.includes('running'))
  expect(lines.at(-1)).toMatch(/running trials \[.{12}\] \d+ % · 1\d,152 of 122,982, 1,000\/s, 1 min 4\d s left/)
  expect(Math.max(...lines.map((text) => text.length))).toBeLessThanOrEqual(80)
})

test('a table has as many columns as fit, says what it left out, and breaks a last column of text', () => {
  const header = ['id', 'kind', 'count', 'why']
  const rows = [['x'.repeat(36), 'k'.repeat(20), 12, 'a sentence that is much longer than what is left of the line here']]
  const lines = (text: string): number[] => text.split('\n').map((line) => line.length)
  const fitted = fittedTable(header, rows, { drop: ['kind', 'count'], wide: false })
  expect(Math.max(...lines(fitted))).toBeLessThanOrEqual(80)
  expect(fitted.split('\n').at(-1)).toBe('--wide shows kind, count too.')
  expect(fitted).toContain(`\n${' '.repeat(38)}is left of the line here\n`)
  const wide = fittedTable(header, rows, { drop: ['kind', 'count'], wide: true })
  expect([wide.split('\n').length, wide.includes('kind'), wide.includes('--wide')]).toEqual([3, true, false])
  expect(fittedTable(header, [['a', 'b', 1, 'c']], { drop: ['kind'], wide: false })).toBe(textTable(header, [['a', 'b', 1, 'c']]))
  fc.assert(fc.property(fc.array(fc.tuple(fc.string({ minLength: 1, maxLength: 30 }), fc.string({ maxLength: 60 }), fc.lorem({ maxCount: 40 })), { minLength: 1 }), (some) => {
    const plain = some.map((row) => row.map((text) => text.replaceAll(/[^ -~]/g, '?')))
    expect(Math.max(...lines(fittedTable(['a', 'b', 'c'], plain, { drop: ['b'], wide: false })))).toBeLessThanOrEqual(80)
  }), { numRuns: 50 })
})

test('steps have words, also those that nobody thought of', () => {
  expect(['run_chunks', 'fetch_data', 'my_own_step'].map(stepInWords)).toEqual(['running trials', 'loading bars', 'my own step'])
})

test('numbers for people', () => {
  expect([0, 42, 123_456, 1234.567, 25.5, 0.65, 0.000_123_4, -3.14159, Number.NaN].map(formatNumber))
    .toEqual(['0', '42', '123,456', '1,234.57', '25.50', '0.65', '0.000123', '-3.1416', '-'])
  expect([3, 999, 12_340, 80_000, 3_725_000].map(formatDuration)).toEqual(['3 ms', '999 ms', '12.3 s', '1 min 20 s', '1 h 2 min 05 s'])
  expect(textTable(['name', 'n'], [['a', 1], ['long name', 1000], ['none', null]])).toBe('name           n\n---------  -----\na              1\nlong name  1,000\nnone           -')
})
