/** The walk over plain rows and the careful reading of odd ones are two ways to the same bars, wherever the text is cut. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SweepmillError } from '../../src/base/errors.js'
import { CsvReader } from '../../src/market/read-csv.js'
import type { Reading } from '../../src/market/reading.js'
import type { ReadBars } from '../../src/market/read-csv.js'
import { encodeBlocks, encodeFirst, MonthsAsRead } from '../../src/market/blocks.js'

const HEADERS: readonly (readonly string[])[] = [
  ['time', 'open', 'high', 'low', 'close', 'volume'], ['volume', 'close', 'other', 'low', 'high', 'open', 'time'],
  ['time', 'open', 'high', 'low', 'close', 'adj close', 'volume', 'note'], ['time', 'open', 'high', 'low', 'close'],
]

/** A decimal number in many spellings, from 0.0001 to 9e17, with up to 24 digits. */
const spelling = fc.oneof(
  fc.tuple(fc.bigInt({ min: 1n, max: 10n ** 17n }), fc.stringMatching(/^(\.\d{0,24})?$/)).map(([whole, rest]) => `${whole}${rest}`),
  fc.stringMatching(/^0{0,3}\.\d{0,3}[1-9]$/), fc.stringMatching(/^[1-9]\d?\.?\d{0,8}[eE][+-]?[0-4]$/), fc.stringMatching(/^\+?[1-9]\d{0,4}\.\d{1,4}$/),
)

const row = fc.record({ prices: fc.array(spelling, { minLength: 4, maxLength: 4 }), volume: fc.oneof(fc.constant('0'), spelling), blank: fc.boolean() })
const times: readonly ((minute: number) => string)[] = [
  (n) => String(1_600_000_000_000 + n * 60_000), (n) => String(1_600_000_000 + n * 60),
  (n) => new Date(1_600_000_000_000 + n * 60_000).toISOString(), (n) => new Date(1_600_000_000_000 + n * 86_400_000).toISOString().slice(0, 10),
]

function read(text: string, pieces: readonly number[], reading?: Reading): ReadBars | string {
  const bytes = new TextEncoder().encode(text)
  const reader = new CsvReader('x.csv', bytes.length, undefined, reading)
  try {
    let at = 0
    for (let k = 0; at < bytes.length; k += 1) {
      const size = pieces.length === 0 ? bytes.length : pieces[k % pieces.length]!
      reader.feed(bytes.slice(at, at + size))
      at += size
    }
    return reader.finish()
  } catch (error) {
    if (error instanceof SweepmillError) return `${error.code} ${error.message}`
    throw error
  }
}

test('plain and quoted rows give the same bits and the same errors, in pieces of any size', () => {
  let good = 0
  let bad = 0
  fc.assert(fc.property(
    fc.constantFrom(...HEADERS), fc.constantFrom(...times), fc.constantFrom('\n', '\r\n'), fc.array(row, { minLength: 1, maxLength: 30 }), fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 4 }),
    fc.option(fc.record({ at: fc.nat(29), field: fc.nat(8), text: fc.constantFrom('', 'x', '-1', '1.2.3', 'NaN', '1e400', '0', '1 2') }), { nil: undefined }),
    (header, time, end, rows, pieces, fault) => {
      const cells = rows.map(({ prices, volume }, n) => {
        const [low = '', a = '', b = '', high = ''] = prices.toSorted((x, y) => Number(x) - Number(y))
        const of: Readonly<Record<string, string>> = { time: time(n), open: a, close: b, low, high, volume, 'adj close': a, other: '7', note: 'word' }
        return header.map((name, field) => (fault?.at === n && fault.field === field ? fault.text : of[name] ?? ''))
      })
      const text = (cell: (value: string) => string): string => [header.join(','), ...cells.flatMap((line, n) => [line.map(cell).join(','), ...(rows[n]?.blank === true ? [''] : [])])].join(end) + end
      const plain = read(text((value) => value), pieces)
      const quoted = read(text((value) => `"${value}"`), [])
      expect(read(text((value) => ` ${value} `), pieces)).toEqual(plain)
      if (typeof plain === 'string') {
        bad += 1
        // Where both are refused for the number of their fields they show the text, which differs.
        expect(typeof quoted === 'string' && quoted.split(/[ ,]/)[0]).toBe(plain.split(/[ ,]/)[0])
        return
      }
      good += 1
      expect(quoted).toEqual(plain)
      cells.forEach((line, n) => {
        expect(plain.columns.high[n]).toBe(Number(line[header.indexOf('high')]))
        expect(plain.columns.volume[n]).toBe(header.includes('volume') ? Number(line[header.indexOf('volume')]) : 0)
      })
    }), { numRuns: 1000 })
  expect(good).toBeGreaterThan(400)
  expect(bad).toBeGreaterThan(50)
})

const clock = (ms: number): string => new Date(ms).toISOString().slice(11, 19)
const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
/** Columns of a row's moment, in what other programs make of it, and how it is to be read where that is not clear. */
const MOMENTS: readonly { readonly header: readonly string[]; readonly cells: (ms: number) => readonly string[]; readonly reading?: Reading }[] = [
  { header: ['<DATE>', '<TIME>'], cells: (ms) => [day(ms).replaceAll('-', '.'), clock(ms)] },
  { header: ['Time', 'Date'], cells: (ms) => [clock(ms).replaceAll(':', ''), day(ms)] },
  { header: ['<TICKER>', '<DTYYYYMMDD>', '<TIME>'], cells: (ms) => ['AB', day(ms).replaceAll('-', ''), clock(ms).slice(0, 5)] },
  { header: ['time'], cells: (ms) => [`${day(ms)} ${clock(ms)}`.replaceAll(/\D/g, '')] },
  { header: ['time'], cells: (ms) => [`${day(ms)}${clock(ms).slice(0, 5)}`.replaceAll(/\D/g, '')] },
  { header: ['time', 'symbol'], cells: (ms) => [`${day(ms)}T${clock(ms)}+00`, 'A B'] },
  { header: ['date', 'time'], cells: (ms) => [day(ms).split('-').reverse().join('/'), clock(ms)], reading: { date_format: 'dmy' } },
  { header: ['Datum'], cells: (ms) => [`${day(ms).slice(5)}-${day(ms).slice(0, 4)} ${clock(ms)}`], reading: { date_format: 'MM-DD-YYYY', columns: { time: 'Datum' } } },
]

test('moments in one column or two, tickers and decimal commas: plain and quoted rows give the same bits', () => {
  const faults = { none: 0, some: 0 }
  fc.assert(fc.property(
    fc.constantFrom(...MOMENTS), fc.constantFrom('\n', '\r\n', '\r'), fc.boolean(), fc.array(fc.integer({ min: 1, max: 999_999 }), { minLength: 1, maxLength: 20 }), fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 3 }),
    fc.option(fc.record({ at: fc.nat(19), field: fc.nat(6), text: fc.constantFrom('', 'x', '24:00', 'BA', '1,2', '1.2', '99999999') }), { nil: undefined, freq: 3 }),
    ({ header, cells, reading = {} }, end, comma, prices, pieces, fault) => {
      const signs = (value: number): string => (value / 100).toString().replace('.', comma ? ',' : '.')
      const times = prices.map((_, n) => 1_600_000_020_000 + n * 3_660_000)
      const table = prices.map((price, n) => [...cells(times[n]!), ...[price, price + 7, price, price + 5, n].map(signs)].map((text, field) => (fault?.at === n && fault.field === field ? fault.text : text)))
      const text = (cell: (value: string) => string): string => [[...header, 'open', 'high', 'low', 'close', 'volume'], ...table].map((line) => line.map(cell).join(';')).join(end) + end
      const way: Reading = { ...reading, ...(comma ? { decimal: ',' } : {}) }
      const plain = read(text((value) => value), pieces, way)
      const quoted = read(text((value) => `"${value}"`), [], way)
      expect(quoted).toEqual(plain)
      if (typeof plain === 'string') {
        faults.some += 1
        return
      }
      if (fault !== undefined) return
      faults.none += 1
      // Without seconds in the text they are none.
      expect([...plain.columns.time]).toEqual(times.map((ms) => (cells(1000).join('') === cells(0).join('') ? Math.floor(ms / 60_000) * 60_000 : ms)))
      expect([...plain.columns.close]).toEqual(prices.map((price) => (price + 5) / 100))
    }), { numRuns: 600 })
  expect(Math.min(faults.none, faults.some)).toBeGreaterThan(80)
})

const BEGINNINGS = [
  'Price,Close,High,Low,Open,Volume\nTicker,A,A,A,A,A\nDate,,,,,\n2020-01-02,1.7,2,1,1.5,7\n', 'https://x\nunix,date,symbol,open,high,low,close,Volume BTC,Volume USDT\n1578043800000,2020-01-03 09:30:00,BTC/USDT,1.5,2,1,1.75,100,175\n',
  '01/13/2020,09:30,1.5,2,1,1.75,100\n01/12/2020,09:31,1.5,2,1,1.75,100\n', 'time,open,high,low,close,volume\r202001020930,1.5,2,1,1.75,100\r202001020931,1.5,2,1,1.75,100\r',
  'Date,Close/Last,Volume,Open,High,Low\n"01/14/2020","$3,001.75",100,"$3,001.5","$3,002.0","$3,001.0"\n',
]

test('what the first lines tell, damaged or not, does not depend on where the text is cut', () => {
  const damage = fc.array(fc.record({ at: fc.nat(200), cut: fc.nat(3), put: fc.constantFrom('', ',', ';', '\n', '\r', '"', '0', '\u0000', 'é') }), { maxLength: 3 })
  fc.assert(fc.property(fc.constantFrom(...BEGINNINGS), damage, fc.constantFrom<Reading>({}, { skip_bad: true }, { ticker: 'A' }, { decimal: ',' }, { date_format: 'mdy' }), fc.integer({ min: 1, max: 20 }), (text, harm, reading, size) => {
    const damaged = harm.reduce((all, { at, cut, put }) => all.slice(0, at) + put + all.slice(at + cut), text)
    expect(read(damaged, [size], reading)).toEqual(read(damaged, [], reading))
  }), { numRuns: 1500 })
})

/** Hashes of the months' blocks; with `taken`, those of months that were over before the end are made then, and their rows forgotten. */
function months(text: string, pieces: readonly number[], taken: boolean): string | { hashes: string[]; taken: number } {
  const bytes = new TextEncoder().encode(text)
  const early: string[] = []
  const watch = new MonthsAsRead()
  const reader = new CsvReader('x.csv', bytes.length, taken ? (rows) => {
    const over = watch.over(rows)
    early.push(...encodeFirst(rows, over).map(({ hash }) => hash))
    return over
  } : undefined)
  try {
    let at = 0
    for (let k = 0; at < bytes.length; k += 1) {
      reader.feed(bytes.slice(at, at + pieces[k % pieces.length]!))
      at += pieces[k % pieces.length]!
    }
    return { hashes: [...early, ...encodeBlocks(reader.finish().columns).map(({ hash }) => hash)], taken: early.length }
  } catch (error) {
    if (error instanceof SweepmillError) return `${error.code} ${error.message}`
    throw error
  }
}

test('months that are taken while a file is read are those of the whole file, and so are its errors', () => {
  const seen = { taken: 0, backwards: 0, refused: 0 }
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 60 }), fc.boolean(), fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 }),
    fc.option(fc.record({ at: fc.nat(59), hours: fc.integer({ min: -900, max: 0 }) }), { nil: undefined, freq: 3 }), fc.option(fc.nat(59), { nil: undefined, freq: 3 }),
    (steps, backwards, pieces, late, broken) => {
      let hours = 0
      const at = steps.map((step, i) => {
        hours += late?.at === i ? late.hours : step
        return hours
      })
      if (backwards) at.reverse()
      const text = at.map((hour, i) => `${1_600_000_000_000 + hour * 3_600_000},${broken === i ? 'x' : i + 1},${i + 3},${Math.min(i + 1, 2)},2.5,${i}\n`).join('')
      const whole = months(text, [text.length], false)
      const streamed = months(text, pieces, true)
      if (typeof whole === 'string' || typeof streamed === 'string') {
        seen.refused += 1
        // Which way a file runs that begins one way and ends the other is said by its beginning, or by its end.
        if (typeof whole === 'string' && whole.includes('new to old')) expect(streamed).toMatch(/^DATA_ORDER/)
        else expect(streamed).toEqual(whole)
        return
      }
      expect(streamed.hashes).toEqual(whole.hashes)
      if (streamed.taken > 0) seen.taken += 1
      if (backwards && steps.length > 1) seen.backwards += 1
    },
  ), { numRuns: 1500, seed: 24 })
  expect(Math.min(seen.taken, seen.backwards, seen.refused)).toBeGreaterThan(200)
})
