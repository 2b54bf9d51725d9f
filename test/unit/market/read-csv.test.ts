/** Every format, and every way a row can be wrong: the error names the line. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packageRoot } from '../../../src/base/package-root.js'
import { parseCsv } from '../../../src/market/read-csv.js'
import type { Bars } from '../../../src/market/layout.js'

const csv = (...lines: string[]): Uint8Array => new TextEncoder().encode(lines.join('\n'))
const parse = (...lines: string[]): Bars => parseCsv(csv(...lines), 'x.csv')
const iso = (bars: Bars): string[] => [...bars.time].map((ms) => new Date(ms).toISOString())

describe('formats', () => {
  test('generic with adjclose, any order, CRLF, BOM, blank lines', () => {
    const bars = parse('\uFEFFVolume,Date,Adj Close,Close,Low,High,Open\r', '10,2020-01-02,1.5,2,1,3,1.25\r', '\r', '11,2020-01-03,1.5,2,1,3,1.25\r', '')
    expect(bars.length).toBe(2)
    expect([bars.open[0], bars.high[0], bars.low[0], bars.close[0], bars.volume[0], bars.adjclose?.[0]]).toEqual([1.25, 3, 1, 2, 10, 1.5])
    expect(iso(bars)).toEqual(['2020-01-02T00:00:00.000Z', '2020-01-03T00:00:00.000Z'])
  })
  test('unnamed first column, time of day', () => {
    expect(iso(parse(',Open,High,Low,Close,Volume', '2017-04-19 09:00:00,1,1,1,1,1', '2017-04-19T13:30:00+02:00,1,1,1,1,1')))
      .toEqual(['2017-04-19T09:00:00.000Z', '2017-04-19T11:30:00.000Z'])
  })
  test('Binance dump, headerless, microseconds and milliseconds', () => {
    const us = parse('1735689600000000,93576,93702.15,93489.03,93656.18,8.37046,1735689659999999,783929.9,2631,4,5,0')
    const ms = parse('1735689600000,93576,93702.15,93489.03,93656.18,8.37046,1735689659999,783929.9,2631,4,5,0')
    expect(iso(us)).toEqual(['2025-01-01T00:00:00.000Z'])
    expect(us.hash).toBe(ms.hash)
  })
  test('Binance futures dump with a header', () => {
    const bars = parse('open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore',
      '1735689600000,93576,93702.15,93489.03,93656.18,8.37046,1735689659999,783929.9,2631,4,5,0')
    expect(bars.volume[0]).toBe(8.37046)
  })
  test('Bybit, newest first', () => {
    const bars = parse('startTime,openPrice,highPrice,lowPrice,closePrice,volume,turnover', '1670608800000,2,2,2,2,1,1', '1670605200000,1,1,1,1,1,1')
    expect([...bars.close]).toEqual([1, 2])
    expect(bars.meta.warnings.join()).toContain('new to old')
  })
  test('semicolons, seconds, no volume', () => {
    const bars = parse('time;open;high;low;close', '1577923200;1;2;1;2')
    expect(iso(bars)).toEqual(['2020-01-02T00:00:00.000Z'])
    expect(bars.meta.warnings.join()).toContain('no volume')
  })
  test('quoted fields and names, the separator inside', () => {
    const bars = parse('"Date","SMA(C,10)","Open","High","Low","Close","Volume"', '"2020-01-02","9,5","1","2","1","2","5"', '2020-01-03,"9,5",1,2,1,2,6')
    expect([bars.length, bars.close[0], bars.volume[1]]).toEqual([2, 2, 6])
  })
  test('an index that pandas named, dots in dates', () => {
    expect(iso(parse('Unnamed: 0,Open,High,Low,Close,Volume', '2020.01.02,1,2,1,2,5'))).toEqual(['2020-01-02T00:00:00.000Z'])
    expect(iso(parse('index,Open,High,Low,Close,Volume', '2020.01.02 10:30:15,1,2,1,2,5'))).toEqual(['2020-01-02T10:30:15.000Z'])
    expect(iso(parse('index,Date,Open,High,Low,Close', '0,2020-01-02,1,2,1,2'))).toEqual(['2020-01-02T00:00:00.000Z'])
  })
  test('every day from 1890 to 2110 by its date', () => {
    const days = Array.from({ length: 80_000 }, (_, i) => new Date(Date.UTC(1890, 0, 1 + i)).toISOString())
    const bars = parseCsv(csv([HEADER, ...days.map((day) => `${day.slice(0, 10)},1,2,1,2,5`)].join('\n')), 'x.csv')
    expect(iso(bars)).toEqual(days)
  })
  test('the bundled sample', () => {
    const bars = parseCsv(readFileSync(join(packageRoot, 'samples/sp500-daily.csv')), 'sp500-daily.csv')
    expect(bars.length).toBe(5105)
    expect([bars.open[0], bars.close[5104]]).toEqual([1469.25, 2874.560059])
  })
})

const HEADER = 'date,open,high,low,close,volume'
const GOOD = '2020-01-02,1,2,1,2,5'

describe('errors name the line', () => {
  test.each([
    ['text in the middle', [HEADER, GOOD, 'hello world'], 'DATA_INVALID', 3],
    ['a word for a number', [HEADER, GOOD, '2020-01-03,1,2,one,2,5'], 'DATA_INVALID', 3],
    ['an empty cell', [HEADER, GOOD, '', '2020-01-03,1,2,,2,5'], 'DATA_INVALID', 4],
    ['infinity', [HEADER, '2020-01-03,1,Infinity,1,2,5'], 'DATA_INVALID', 2],
    ['hexadecimal', [HEADER, '2020-01-03,1,0x10,1,2,5'], 'DATA_INVALID', 2],
    ['a negative price', [HEADER, GOOD, '2020-01-03,1,2,-1,2,5'], 'DATA_INVALID', 3],
    ['a price of zero', [HEADER, '2020-01-03,0,2,0,2,5'], 'DATA_INVALID', 2],
    ['a negative volume', [HEADER, '2020-01-03,1,2,1,2,-5'], 'DATA_INVALID', 2],
    ['high below low', [HEADER, GOOD, '2020-01-03,1,1,2,1,5'], 'DATA_INVALID', 3],
    ['close above high', [HEADER, '2020-01-03,1,2,1,3,5'], 'DATA_INVALID', 2],
    ['open below low', [HEADER, '2020-01-03,1,3,2,3,5'], 'DATA_INVALID', 2],
    ['a duplicate time', [HEADER, GOOD, GOOD], 'DATA_ORDER', 3],
    ['unordered times', [HEADER, '2020-01-02,1,2,1,2,5', '2020-01-04,1,2,1,2,5', '2020-01-03,1,2,1,2,5'], 'DATA_ORDER', 4],
    ['an adjusted close below zero', [`${HEADER},adjclose`, `${GOOD},1.5`, '2020-01-03,1,2,1,2,5,-1.5'], 'DATA_INVALID', 3],
    ['a duplicate time, new to old', [HEADER, '2020-01-04,1,2,1,2,5', '2020-01-03,1,2,1,2,5', '2020-01-03,1,2,1,2,5', GOOD], 'DATA_ORDER', 4],
    ['unordered times, new to old', [HEADER, '2020-01-05,1,2,1,2,5', '2020-01-03,1,2,1,2,5', '2020-01-04,1,2,1,2,5', GOOD], 'DATA_ORDER', 4],
    ['a quote that does not close', [HEADER, GOOD, '2020-01-03,1,2,1,"2,5', '2020-01-04,1,2,1,"2",5'], 'DATA_INVALID', 3],
    ['an hour that does not exist', [HEADER, '2020-01-02 24:00:00,1,2,1,2,5'], 'DATA_INVALID', 2],
    ['a day that does not exist', [HEADER, '2021-02-29,1,2,1,2,5'], 'DATA_INVALID', 2],
    ['too few fields', [HEADER, '2020-01-03,1,2'], 'DATA_FORMAT', 2],
    ['too many fields', [HEADER, '2020-01-03,1,2,1,2,5,6'], 'DATA_FORMAT', 2],
    ['no column for low', ['date,open,high,close', '2020-01-03,1,2,1'], 'DATA_FORMAT', 1],
  ])('%s', (_, lines, code, line) => {
    expect(() => parse(...lines)).toThrow(expect.objectContaining({ code, details: expect.objectContaining({ line, file: 'x.csv' }) as unknown }))
  })
  test.each([['nothing', ''], ['blank lines', '\n \r\n'], ['a header alone', `${HEADER}\n`]])('%s is DATA_EMPTY', (_, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'DATA_EMPTY' }))
  })
  test.each([
    ['gzip', [0x1f, 0x8b, 8, 0]], ['zip', [0x50, 0x4b, 3, 4]], ['Parquet', [0x50, 0x41, 0x52, 0x31]], ['UTF-16', [0xff, 0xfe, 0x64, 0]],
  ])('a %s file is called by its name', (kind, bytes) => {
    expect(() => parseCsv(Uint8Array.from(bytes), 'x.csv')).toThrow(expect.objectContaining({ code: 'DATA_FORMAT', message: expect.stringContaining(`x.csv is ${kind}`) as unknown }))
  })
  test('a time that cannot be read says which forms can', () => {
    for (const time of ['1e400', '1e30', '99999999999999999999', '000000001', '012345678']) {
      expect(() => parse(HEADER, `${time},1,2,1,2,5`)).toThrow(new RegExp(`line 2 \\(row 1\\) has "${time}" as time, which is not a time`))
    }
    expect(() => parse(HEADER, '01/02/2020,1,2,1,2,5')).toThrow(/line 2 \(row 1\) has "01\/02\/2020" as time, which could be 2020-01-02 \(MM\/DD\/YYYY\) or 2020-02-01 \(DD\/MM\/YYYY\)/)
  })
  test('binary garbage', () => {
    expect(() => parseCsv(Uint8Array.from({ length: 500 }, (_, i) => (i * 7919) % 256), 'x.bin')).toThrow(expect.objectContaining({ code: expect.stringMatching(/^DATA_/) as unknown }))
  })
})

test('a decimal comma is told as that', () => {
  expect(() => parse('date;open;high;low;close', '2020-01-02;1,5;2;1;2')).toThrow(/"1,5" as open, which is not a number: decimals have a point/)
  expect(() => parse('date;open;high;low;close', '2020-01-02;one;2;1;2')).toThrow(/"one" as open, which is not a number\. Correct/)
})
