/**
 * `npm run bench [-- --smoke] [--only SUITE] [--out FILE] | --compare OLD NEW`
 *
 * Runs the suites one after the other and prints their figures beside the targets; exits with 1 when a target is
 * missed in a full run. `--out` appends one JSON line; `--compare` prints the ratios of the last lines of two files.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageRoot } from '../src/base/package-root.js'
import { passes } from './figure.js'
import type { Suite, SuiteResult } from './figure.js'
import { backtestSuite } from './suites/backtest.js'
import { doorSuite } from './suites/door.js'
import { importSuite } from './suites/import.js'
import { kernelsSuite } from './suites/kernels.js'
import { millionSuite } from './suites/million.js'
import { peersSuite } from './suites/peers.js'
import { poolSuite } from './suites/pool.js'
import { prioritySuite } from './suites/priority.js'
import { queueSuite } from './suites/queue.js'

const SUITES: Readonly<Record<string, Suite>> = { kernels: kernelsSuite, backtest: backtestSuite, pool: poolSuite, queue: queueSuite, priority: prioritySuite, door: doorSuite, import: importSuite, million: millionSuite, peers: peersSuite }
/** Take minutes, or packages from npm; a full run leaves them out. */
const ONLY_WHEN_NAMED: ReadonlySet<string> = new Set(['import', 'million', 'peers'])

function print(result: SuiteResult): void {
  console.log(`\n${result.suite} (limit: ${result.limit})`)
  for (const figure of result.figures) {
    const value = figure.value >= 100 ? Math.round(figure.value).toLocaleString('en-US') : figure.value.toPrecision(3)
    const target = figure.target === undefined ? '' : `  ${figure.target.kind === 'min' ? 'at least' : 'at most'} ${figure.target.value}: ${passes(figure) ? 'met' : 'MISSED'}`
    console.log(`  ${figure.name.padEnd(40)} ${value.padStart(12)} ${figure.unit}${target}`)
  }
  if (result.resultHash !== undefined) console.log(`  result hash ${result.resultHash}`)
}

function lastLine(file: string): SuiteResult[] {
  const line = readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? '{}'
  return (JSON.parse(line) as { results: SuiteResult[] }).results
}

function compare(before: string, after: string): void {
  const old = new Map(lastLine(before).flatMap(({ suite, figures }) => figures.map((figure) => [`${suite}: ${figure.name}`, figure.value] as const)))
  for (const { suite, figures } of lastLine(after)) {
    for (const figure of figures) {
      const was = old.get(`${suite}: ${figure.name}`)
      if (was !== undefined) console.log(`${`${suite}: ${figure.name}`.padEnd(50)} ${(figure.value / was).toFixed(3)} × (${was.toPrecision(4)} → ${figure.value.toPrecision(4)} ${figure.unit})`)
    }
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { smoke: { type: 'boolean', default: false }, only: { type: 'string' }, out: { type: 'string' }, compare: { type: 'boolean', default: false } },
})

if (values.compare) {
  const [before, after] = positionals
  if (before === undefined || after === undefined) throw new Error('--compare takes two files written by --out')
  compare(before, after)
} else {
  if (values.only !== undefined && !(values.only in SUITES)) throw new Error(`--only takes one of ${Object.keys(SUITES).join(', ')}`)
  const results: SuiteResult[] = []
  for (const [name, suite] of Object.entries(SUITES)) {
    if (values.only === undefined ? ONLY_WHEN_NAMED.has(name) && !(values.smoke && name !== 'peers') : values.only !== name) continue
    const result = await suite({ smoke: values.smoke, stateDir: process.env['STATE_DIR'] ?? join(packageRoot, '.sweepmill-bench') })
    print(result)
    results.push(result)
  }
  const figures = results.flatMap((result) => result.figures)
  const missed = figures.filter((figure) => !passes(figure))
  if (values.out !== undefined) appendFileSync(values.out, `${JSON.stringify({ node: process.version, smoke: values.smoke, results })}\n`)
  console.log(`\n${figures.length} figures, ${missed.length} targets missed${values.smoke ? ' (smoke run: sizes too small to mean anything)' : ''}`)
  if (missed.length > 0 && !values.smoke) process.exitCode = 1
}
