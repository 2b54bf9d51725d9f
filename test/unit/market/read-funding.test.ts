/** Files of funding rates as exchanges write them, and what is wrong with others. */
import { expect, test } from 'vitest'
import { parseFunding } from '../../../src/market/read-funding.js'
import { refusal } from '../engine/refusal.js'

const parse = (...lines: string[]): unknown => parseFunding(new TextEncoder().encode(lines.join('\n')), 'f.csv').map(({ timeMs, rate }) => [new Date(timeMs).toISOString(), rate])
const EIGHT = ['2024-01-01T00:00:00.000Z', 0.0001]
const SIXTEEN = ['2024-01-01T08:00:00.000Z', -0.00025]

test.each([
  ['plain', ['time,rate', '2024-01-01T00:00:00Z,0.0001', '2024-01-01T08:00:00Z,-0.00025']],
  ['Bybit, newest first', ['symbol,fundingRate,fundingRateTimestamp', 'BTCUSDT,-0.00025,1704096000000', 'BTCUSDT,0.0001,1704067200000']],
  ['Binance', ['calc_time,funding_interval_hours,last_funding_rate', '1704067200000,8,0.00010000', '1704096000000,8,-0.00025']],
  ['without a header, quoted, with blank lines', ['"1704067200","1e-4"', '', '1704096000;-0.00025', '']],
])('reads %s', (_name, lines) => {
  expect(parse(...lines)).toEqual([EIGHT, SIXTEEN])
})

test.each([
  ['nothing', [''], 'DATA_EMPTY', 'nothing in it'], ['no rate', ['time,price', '2024-01-01,3'], 'DATA_FORMAT', 'names no rate'], ['only a header', ['time,rate'], 'DATA_EMPTY', 'no row'],
  ['a time that is none', ['time,rate', 'tomorrow,0.1'], 'DATA_INVALID', 'line 2: "tomorrow" is not a time'], ['percent', ['time,rate', '2024-01-01,12'], 'DATA_INVALID', '0.0001 is 0.01 %'],
  ['a time twice', ['time,rate', '2024-01-01,0.1', '2024-01-01,0.1'], 'DATA_ORDER', 'stands twice'],
])('refuses %s', (_name, lines, code, words) => {
  const error = refusal(() => parse(...lines))
  expect([error.code, error.message]).toEqual([code, expect.stringContaining(words)])
})
