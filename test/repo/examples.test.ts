/** What the documents show in TypeScript compiles as a careful user compiles it, and a slip in a spec does not. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import { parseBacktestSpec, parseSweepSpec } from '../../src/engine/index.js'
import type { BacktestSpecInput, ExecutionInput, MetricsInput, SizingInput, SweepSpecInput } from '../../src/engine/index.js'

const folder = mkdtempSync(join(tmpdir(), 'sweepmill-examples-'))
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

/** The code blocks of a document in TypeScript. */
function blocks(file: string): string[] {
  return [...readFileSync(join(packageRoot, file), 'utf8').matchAll(/^```(?:ts|typescript|mts)[^\n]*\n([^]*?)^```/gm)].map(([, code = '']) => code)
}

const documents = ['README.md', 'ARCHITECTURE.md', ...['docs', 'docs/decisions'].flatMap((at) => readdirSync(join(packageRoot, at)).filter((name) => name.endsWith('.md')).map((name) => `${at}/${name}`))]

/** Each line that is marked must be an error, and no other: the compiler itself says so of a mark without one. */
const SLIPS = `
import { defineStrategy, openRuntime, parseBacktestSpec, parseSweepSpec } from 'sweepmill'
import type { BacktestSpecInput, SweepSpecInput } from 'sweepmill'

const strategy = { name: 'sma-cross', params: { fast: 10 } }
export const good: BacktestSpecInput = { file: 'a.csv', strategy, execution: { fee_rate: 0.001, stop_loss: { atr: 14, multiple: 2 } }, metrics: { risk_free: 0.02 } }
export const goodSweep: SweepSpecInput = { file: 'a.csv', strategy, space: { fast: { min: 1, max: 9, step: 1 }, slow: { choices: [5, 6] } }, objective: 'calmar_ratio' }
export const read = [parseBacktestSpec(good), parseSweepSpec(goodSweep), parseBacktestSpec(JSON.parse('{}')), parseBacktestSpec(JSON.parse('{}') as unknown), parseSweepSpec({} as Record<string, unknown>)]

// @ts-expect-error
export const a: BacktestSpecInput = { file: 'a.csv', strategy, exection: {} }
// @ts-expect-error
export const b: BacktestSpecInput = { file: 'a.csv', strategy, execution: { feeRate: 0.001 } }
// @ts-expect-error
export const c: BacktestSpecInput = { file: 'a.csv', strategy, execution: { direction: 'longs' } }
// @ts-expect-error
export const d: BacktestSpecInput = { file: 'a.csv', strategy, execution: { sizing: { mode: 'units', units: 3 } } }
// @ts-expect-error
export const e: BacktestSpecInput = { file: 'a.csv', strategy: { name: 'sma-cross', parameters: {} } }
// @ts-expect-error
export const f: SweepSpecInput = { file: 'a.csv', strategy, space: { fast: { min: 1, max: 9, steps: 1 } } }
// @ts-expect-error
export const g: SweepSpecInput = { file: 'a.csv', strategy, space: {}, objective: 'sharp_ratio' }
// @ts-expect-error
export const h: SweepSpecInput = { file: 'a.csv', strategy }
// @ts-expect-error
parseBacktestSpec({ file: 'a.csv', strategy, execution: { fee_rat: 0.001 } })
// @ts-expect-error
parseBacktestSpec({ file: 'a.csv', strategy, metrics: { riskfree: 0.02 } })
// @ts-expect-error
parseSweepSpec({ file: 'a.csv', strategy, space: { fast: { choices: ['5'] } } })
// @ts-expect-error
parseSweepSpec({ file: 'a.csv', strategy, space: { fast: { choices: [5] } }, holdOut: 0.3 })
// @ts-expect-error
void openRuntime({ redisUrl: '', databaseUrl: '', settings: { WORKER_THREAD: '4' } })
// @ts-expect-error
defineStrategy({ name: 'x', params: {}, onBar: (ctx) => { ctx.enterLong({ units: 3 }) } })
// @ts-expect-error
defineStrategy({ name: 'x', params: { n: { min: 1, max: 2, steps: 1, default: 1 } }, signals: () => ({}) })
// @ts-expect-error
defineStrategy({ name: 'x', params: {}, signals: ({ close }, _params, ta) => ({ longEntry: ta.sma(close, 10, 20) }) })
`

test('every example compiles under strict and noUncheckedIndexedAccess, and no slip does', async () => {
  const examples = documents.flatMap((file) => blocks(file).map((code, k) => ({ name: `${file.replaceAll('/', '-')}-${k}.ts`, code })))
  expect(examples.length).toBeGreaterThanOrEqual(7)
  mkdirSync(folder, { recursive: true })
  for (const { name, code } of [...examples, { name: 'slips.ts', code: SLIPS }]) writeFileSync(join(folder, name), code)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    compilerOptions: {
      strict: true, noUncheckedIndexedAccess: true, noImplicitOverride: true, target: 'ES2022', lib: ['ES2023'], module: 'nodenext', moduleResolution: 'nodenext', noEmit: true, skipLibCheck: true,
      // The sources and not what was built of them, which may be older.
      types: ['node'], typeRoots: [join(packageRoot, 'node_modules', '@types')], paths: { sweepmill: [join(packageRoot, 'src', 'index.ts')] },
    },
    include: ['*.ts'],
  }))
  expect(await compile()).toBe('')
})

function compile(): Promise<string> {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
  return new Promise((done) => {
    execFile(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], (error, stdout, stderr) => { done(error === null ? '' : `${stdout}${stderr}`) })
  })
}

/** All keys of a type, which the compiler holds to be complete. */
const KEYS = {
  execution: {
    initial_cash: 1, fill: 1, direction: 1, sizing: 1, fee_rate: 1, fee_fixed: 1, fee_per_unit: 1, fee_min: 1, maker_fee_rate: 1, spread: 1, slippage: 1, stop_slippage: 1, leverage: 1, stop_loss: 1, take_profit: 1,
    trailing_stop: 1, stop_reference: 1, stop_on_entry_bar: 1, stop_priority: 1, entry_order: 1, entry_when_in_position: 1, max_entries: 1, conflicting_signals: 1, finalize: 1,
    intrabar_path: 1, borrow_rate: 1, tick_size: 1, market: 1, funding: 1, maintenance_margin: 1, liquidation_fee: 1,
  } satisfies Record<keyof ExecutionInput, 1>,
  'execution.sizing': { mode: 1, value: 1, whole_units: 1, lot_size: 1, min_notional: 1 } satisfies Record<keyof SizingInput, 1>,
  metrics: { periods_per_year: 1, risk_free: 1 } satisfies Record<keyof MetricsInput, 1>,
  backtest: {
    file: 1, reading: 1, symbol: 1, symbols: 1, timeframe: 1, exchange: 1, finer: 1, benchmark: 1, start_date: 1, end_date: 1, adjust: 1, strategy: 1, strategy_id: 1, execution: 1, metrics: 1,
    data_hash: 1, data_parts: 1, data_warnings: 1, strategy_hash: 1, params_order: 1,
  } satisfies Record<keyof BacktestSpecInput, 1>,
  sweep: { space: 1, space_order: 1, constraint: 1, method: 1, objective: 1, direction: 1, holdout: 1, seed: 1, top: 1 } satisfies Record<Exclude<keyof SweepSpecInput, keyof BacktestSpecInput>, 1>,
}

test('the types of specs have the keys that the parsers take', () => {
  const known = (parse: () => unknown): string[] => {
    try { parse() } catch (error) { return (/Known here: ([^.]+)\./.exec(String(error))?.[1]?.split(', ') ?? []).sort() }
    return []
  }
  const nonsense = { nonsense: 1 } as unknown
  expect(known(() => parseBacktestSpec(nonsense))).toEqual(Object.keys(KEYS.backtest).sort())
  expect(known(() => parseSweepSpec(nonsense))).toEqual([...Object.keys(KEYS.backtest), ...Object.keys(KEYS.sweep)].sort())
  expect(known(() => parseBacktestSpec({ file: 'x', execution: nonsense } as unknown))).toEqual(Object.keys(KEYS.execution).sort())
  expect(known(() => parseBacktestSpec({ file: 'x', execution: { sizing: nonsense } } as unknown))).toEqual(Object.keys(KEYS['execution.sizing']).sort())
  expect(known(() => parseBacktestSpec({ file: 'x', metrics: nonsense } as unknown))).toEqual(Object.keys(KEYS.metrics).sort())
})
