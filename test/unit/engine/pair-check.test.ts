/** `checkStrategy` of strategies that look at several symbols together: the future of each alone must change nothing. */
import { expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.js'
import { builtinStrategy, checkStrategy, defineStrategy } from '../../../src/engine/index.js'
import type { Indicators, Masks, Strategy } from '../../../src/engine/index.js'
import type { BarColumns } from '../../../src/market/layout.js'

const DAY_MS = 86_400_000

function walk(seed: number, length: number, without: (day: number) => boolean = () => false): BarColumns {
  const random = seededRandom(seed)
  const rows: number[][] = []
  let price = 100
  for (let day = 0; rows.length < length; day += 1) {
    const open = price
    price *= 1 + (random.next() - 0.5) * 0.04
    if (!without(day)) rows.push([Date.UTC(2020, 0, 1) + day * DAY_MS, open, Math.max(open, price) * 1.01, Math.min(open, price) * 0.99, price, 1 + random.next()])
  }
  const column = (at: number): Float64Array => Float64Array.from(rows, (row) => row[at] ?? NaN)
  return { length, time: column(0), open: column(1), high: column(2), low: column(3), close: column(4), volume: column(5) }
}

const PAIR = [{ symbol: 'coal', bars: walk(1, 600) }, { symbol: 'steel', bars: walk(2, 600) }]

type SignalsOfAll = (series: readonly BarColumns[], ta: Indicators) => readonly Masks[]
const pair = (of: SignalsOfAll): Strategy => defineStrategy({ name: 'pair', params: {}, symbols: 2, signalsOfAll: (series, _params, ta) => of(series, ta) })
const where = (length: number, says: (i: number) => boolean): Uint8Array => Uint8Array.from({ length }, (_, i) => (says(i) ? 1 : 0))
const legs = (length: number, first: (i: number) => boolean, second: (i: number) => boolean): Masks[] => [
  { longEntry: where(length, first), longExit: where(length, (i) => !first(i)) }, { longEntry: where(length, second), longExit: where(length, (i) => !second(i)) },
]
const ratioOf = ([first, second]: readonly BarColumns[]): Float64Array => first!.close.map((price, i) => price / second!.close[i]!)
const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length

const PEEKING: readonly (readonly [string, SignalsOfAll])[] = [
  ['the mean ratio of all bars', (series) => {
    const ratio = ratioOf(series)
    const all = mean(ratio)
    return legs(ratio.length, (i) => ratio[i]! < all, (i) => ratio[i]! > all)
  }],
  ['the last ratio, which moves of both alike leave as it is', (series) => {
    const ratio = ratioOf(series)
    const last = ratio.at(-1)!
    return legs(ratio.length, (i) => ratio[i]! < last, (i) => ratio[i]! > last)
  }],
  ['tomorrow\'s close of the second for the first', ([first, second]) => legs(first!.length, (i) => second!.close[i + 1]! > second!.close[i]!, (i) => i % 7 === 0)],
  ['tomorrow\'s close of the first for the second', ([first]) => legs(first!.length, (i) => i % 7 === 0, (i) => first!.close[i + 1]! > first!.close[i]!)],
  ['a window around the bar', (series) => {
    const ratio = ratioOf(series)
    const around = (i: number): number => mean(ratio.subarray(Math.max(0, i - 5), i + 6))
    return legs(ratio.length, (i) => ratio[i]! < around(i), (i) => ratio[i]! > around(i))
  }],
]

test.each(PEEKING)('finds: %s', (_what, of) => {
  const { passed, checks } = checkStrategy(pair(of), PAIR)
  expect(passed).toBe(false)
  const found = checks.find((one) => one.passed === false)
  expect(found).toMatchObject({ check: 'look_ahead', mask: expect.stringMatching(/^(coal|steel) (long|short)(Entry|Exit)$/) as string, bar: expect.any(Number) as number })
  expect(found?.message).toMatch(/^look-ahead: (coal|steel) long(Entry|Exit) of bar \d+ \(\d{4}-\d\d-\d\d\) changed/)
})

test('names the indicator, with the symbol of its column', () => {
  const { checks } = checkStrategy(pair(([first, second], ta) => {
    const level = mean(second!.close)
    const slow = ta.sma(second!.close.map((price) => price / level), 20)
    const fast = ta.sma(first!.close, 5)
    return legs(first!.length, (i) => slow[i]! > 1, (i) => fast[i]! > 100)
  }), PAIR)
  expect(checks.find((one) => one.passed === false)).toMatchObject({ indicator: 'ta.sma(column, 20)' })
})

test('honest ones pass, at the times that all symbols have', () => {
  const gappy = [{ symbol: 'coal', bars: walk(3, 500, (day) => day % 11 === 0) }, { symbol: 'steel', bars: walk(4, 500, (day) => day % 13 === 0) }]
  const stronger = pair((series, ta) => {
    const [a, b] = series.map(({ close }) => ta.roc(close, 20)) as [Float64Array, Float64Array]
    return legs(a.length, (i) => a[i]! > b[i]!, (i) => b[i]! > a[i]!)
  })
  for (const strategy of [stronger, builtinStrategy('z-score-pair')]) {
    const { checks, warnings } = checkStrategy(strategy, gappy)
    expect(checks.map(({ check, passed }) => [check, passed])).toEqual([['schema', true], ['determinism', true], ['look_ahead', true], ['warm_up', true]])
    expect((checks[2]?.decisions as number) > 20).toBe(true)
    expect(warnings.filter((text) => text.includes('are left out, because another symbol has none'))).toHaveLength(2)
  }
})

test('state between calls and writing are found, and the number of symbols must fit', () => {
  let calls = 0
  expect(checkStrategy(pair(([first]) => {
    calls += 1
    return legs(first!.length, (i) => i === calls, () => false)
  }), PAIR).checks.find((one) => one.passed === false)).toMatchObject({ check: 'determinism', mask: 'coal longEntry' })
  expect(checkStrategy(pair(([first, second]) => {
    second!.close.fill(1)
    return legs(first!.length, (i) => i % 9 === 0, () => false)
  }), PAIR).checks.find((one) => one.passed === false)).toMatchObject({ check: 'determinism', column: 'close' })
  expect(() => checkStrategy(builtinStrategy('z-score-pair'), PAIR[0]!.bars)).toThrow(/trades 2 symbols together, and one is given/)
  expect(() => checkStrategy(builtinStrategy('sma-cross'), PAIR)).toThrow(/trades one symbol, and 2 are given/)
  expect(() => checkStrategy(builtinStrategy('z-score-pair'), [PAIR[0]!, { symbol: 'later', bars: { ...walk(9, 5), time: Float64Array.of(1, 2, 3, 4, 5) } }])).toThrow(/no time at which all of coal, later have a bar/)
})
