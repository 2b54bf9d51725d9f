/** F24 with finer bars: what happened inside a bar is looked up, not supposed. */
import { expect, test } from 'vitest'
import { defineStrategy, parseBacktestSpec, runBacktest } from '../../../src/engine/index.js'
import type { BacktestResult } from '../../../src/engine/index.js'
import { alignFiner } from '../../../src/engine/simulate/finer-bars.js'
import type { BarColumns } from '../../../src/market/layout.js'
import { refusal } from './refusal.js'

const HOUR = 3_600_000
type Row = readonly [hour: number, open: number, high: number, low: number, close: number]

function toBars(rows: readonly Row[]): BarColumns {
  const column = (k: number): Float64Array => Float64Array.from(rows, (row) => row[k]!)
  return { length: rows.length, time: column(0).map((hour) => hour * HOUR), open: column(1), high: column(2), low: column(3), close: column(4), volume: new Float64Array(rows.length) }
}

/** Buys at the open of the second bar. */
const once = defineStrategy({ name: 'once', params: {}, signals: ({ length }) => ({ longEntry: Uint8Array.from({ length }, (_, i) => (i === 0 ? 1 : 0)), longExit: new Uint8Array(length) }) })

// The second bar reaches both the stop at 93.75 and the target at 112.5.
const BARS = toBars([[0, 100, 100, 100, 100], [4, 100, 113, 93, 105], [8, 105, 106, 104, 105]])
const EXECUTION = { initial_cash: 1000, stop_loss: 0.0625, take_profit: 0.125 }

function run(intrabarPath: string, finer?: readonly Row[]): BacktestResult {
  const json = { strategy: { name: 'once' }, execution: { ...EXECUTION, intrabar_path: intrabarPath }, ...(finer === undefined ? {} : { finer: { timeframe: '1h' } }) }
  return runBacktest(BARS, once, parseBacktestSpec(json as unknown, { barsGiven: true }), {}, undefined, finer === undefined ? undefined : toBars(finer))
}

const exitOf = ({ trades }: BacktestResult): unknown => trades.map(({ exitReason, exitBar, exitPrice }) => [exitReason, exitBar, exitPrice])

test('F24: the same bar ends at its stop or at its target, by what the finer bars did first', () => {
  const first: Row = [0, 100, 100, 100, 100]
  expect(exitOf(run('finer', [first, [4, 100, 113, 99, 111], [5, 111, 111, 93, 96], [6, 96, 105, 96, 105]]))).toEqual([['take_profit', 1, 112.5]])
  expect(exitOf(run('finer', [first, [4, 100, 101, 93, 96], [5, 96, 113, 96, 105]]))).toEqual([['stop_loss', 1, 93.75]])
  // Between two finer bars the price may jump over a level: the open is what there is.
  expect(exitOf(run('finer', [first, [4, 100, 101, 99, 100], [5, 93, 113, 93, 105]]))).toEqual([['stop_loss', 1, 93]])
  expect(exitOf(run('ohlc'))).toEqual([['take_profit', 1, 112.5]])
  expect(exitOf(run('olhc'))).toEqual([['stop_loss', 1, 93.75]])
})

test('F24: a bar without finer bars is adaptive, and the result says so', () => {
  const result = run('finer', [[0, 100, 100, 100, 100], [8, 105, 106, 104, 105]])
  expect(exitOf(result)).toEqual(exitOf(run('adaptive')))
  expect(result.summary['warnings']).toContainEqual(expect.stringContaining('1 of 3 bars have no finer bars'))
})

test('finer bars belong to the bar in which they begin, and the last bar ends too', () => {
  const { from, missing } = alignFiner(BARS, toBars([[-1, 1, 1, 1, 1], [0, 1, 1, 1, 1], [3, 1, 1, 1, 1], [9, 1, 1, 1, 1], [11, 1, 1, 1, 1], [12, 1, 1, 1, 1]]))
  expect([...from]).toEqual([1, 3, 3, 5])
  expect(missing).toBe(1)
})

test('the path and the finer bars are asked for together or not at all', () => {
  const base = { file: 'x.csv', strategy: { name: 'once' } }
  expect(refusal(() => parseBacktestSpec({ ...base, execution: { intrabar_path: 'finer' } })).message).toContain('needs finer bars')
  expect(refusal(() => parseBacktestSpec({ ...base, finer: { file: 'y.csv' } })).message).toContain('nothing would look at')
  expect(refusal(() => parseBacktestSpec({ ...base, execution: { intrabar_path: 'finer' }, finer: { timeframe: '1m' } })).message).toContain('name the finer ones by "file"')
  expect(refusal(() => parseBacktestSpec({ ...base, execution: { intrabar_path: 'finer' }, finer: { file: 'a', timeframe: '1m' } } as unknown)).message).toContain('either')
})
