/**
 * Reads the recorded results of other backtesters from GOLDEN_DIR. They are not part of the repository: without
 * the variable the tests that need them are reported as skipped, with this reason, and recorded-figures.test.ts
 * stands in.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BacktestResult } from '../../src/engine/index.js'
import { builtinStrategy, parseBacktestSpec, runBacktest } from '../../src/engine/index.js'
import type { Bars } from '../../src/market/layout.js'
import { parseCsv } from '../../src/market/read-csv.js'

export const goldenDir = process.env.GOLDEN_DIR
export const skipReason = 'GOLDEN_DIR is not set: the recorded results of other programs are not here'

if (goldenDir === undefined) console.warn(`golden tests skipped: ${skipReason}`)

export function goldenText(name: string): string {
  return readFileSync(join(goldenDir ?? '', name), 'utf8')
}

export function googBars(): Bars {
  return goldenBars('GOOG.csv')
}

export function goldenBars(name: string): Bars {
  return parseCsv(readFileSync(join(goldenDir ?? '', name)), name)
}

/** Rows of a CSV with plain commas (a quoted header cell may hold one), by column name. */
export function goldenRows(name: string): Record<string, string>[] {
  const [header = '', ...lines] = goldenText(name).trim().split(/\r?\n/)
  const names = [...header.matchAll(/"([^"]*)"|([^,]+)|(?<=^|,)(?=,|$)/g)].map((match) => match[1] ?? match[2] ?? '')
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, k) => [names[k] ?? '', cell])))
}

/** SMA 10 over SMA 20 with fee rate 0.002: what every recorded run trades. */
export function runSmaCross(bars: Bars, execution: Record<string, unknown>): BacktestResult {
  const spec = parseBacktestSpec({ file: 'GOOG.csv', strategy: { name: 'sma-cross', params: { fast: 10, slow: 20 } }, execution: { fee_rate: 0.002, ...execution } })
  return runBacktest(bars, builtinStrategy('sma-cross'), spec)
}

/** |a - b| ≤ tolerance × max(1, |b|), with both values in the message. */
export function expectClose(actual: number, expected: number, what: string, tolerance = 1e-9): void {
  const difference = Math.abs(actual - expected)
  if (!(difference <= tolerance * Math.max(1, Math.abs(expected)))) {
    throw new Error(`${what}: ${actual}, recorded ${expected}, differs by ${difference}`)
  }
}
