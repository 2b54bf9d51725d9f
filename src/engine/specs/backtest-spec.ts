/**
 * The spec of one backtest: flat JSON (the file of --spec, the body of a POST, the data column) in, a camelCase
 * object with every default filled in out. Unknown keys are refused by name. A relative file is not resolved
 * here, nothing is read: whether the bars or the strategy exist is found out by whoever loads them.
 */
import { z } from 'zod'
import { SweepmillError } from '../../base/errors.js'
import { parseIsoTime } from '../calendar/iso-time.js'
import type { ExecutionSpec } from './execution-spec.js'
import { parseExecution } from './execution-spec.js'
import { parseOrRefuse, refuseNotSupported, refuseUnknownKeys, requireObject, show, specInvalid } from './refuse.js'
import type { BacktestSpecInput, ReadingInput, Untyped } from './spec-input.js'

/** One symbol of a portfolio: a file, or stored bars of the spec's timeframe. */
export interface SymbolSpec {
  readonly symbol: string
  readonly file?: string
  /** How its file is read, key by key before that of the spec. */
  readonly reading?: ReadingInput
  readonly exchange?: string
}

/** A file, or stored bars; of the spec's timeframe where none is named. */
export type BenchmarkSpec =
  | { readonly file: string; readonly reading?: ReadingInput }
  | { readonly symbol: string; readonly exchange?: string; readonly timeframe?: string }

export interface BarsSpec {
  readonly file?: string
  /** How the files are read; what its keys may say is judged by whoever reads. */
  readonly reading?: ReadingInput
  /** A portfolio, in the order in which it trades. */
  readonly symbols?: readonly SymbolSpec[]
  /** What the run is compared with, where that is not buy-and-hold of the same bars. */
  readonly benchmark?: BenchmarkSpec
  /** Finer bars of the same market, which say what happened inside a bar (`intrabar_path` "finer"): a file, or a stored timeframe. */
  readonly finer?: { readonly file: string; readonly reading?: ReadingInput } | { readonly timeframe: string }
  /** How many of the pinned bars belong to each of the symbols, one after the other; or to the bars and to the finer ones. */
  readonly parts?: readonly number[]
  readonly symbol?: string
  readonly timeframe?: string
  readonly exchange?: string
  readonly startDate?: string
  readonly endDate?: string
  readonly adjust?: boolean
}

export type StrategySpec =
  | { readonly name: string; readonly params: Readonly<Record<string, number>> }
  | { readonly strategyId: number }

export interface MetricsSpec {
  readonly periodsPerYear?: number
  /** Annual, a fraction (0.02 is 2 % a year). */
  readonly riskFree: number
}

export interface BacktestSpec {
  readonly bars: BarsSpec
  readonly dataHash?: string
  /** What is to be known of the bars: pinned with their hash when the task is accepted, and part of its result. */
  readonly dataWarnings?: readonly string[]
  readonly strategy: StrategySpec
  /** The parameters' names as the spec wrote them; absent where that is their order by name. No part of what the spec means. */
  readonly paramsOrder?: readonly string[]
  readonly strategyHash?: string
  readonly execution: ExecutionSpec
  readonly metrics: MetricsSpec
}

export interface ParseOptions {
  /** True when the caller holds the bars already, so that the spec need not say where they are. */
  readonly barsGiven?: boolean
}

/** A portfolio of more is a sweep of its own. */
const MOST_SYMBOLS = 1000

const text = (what: string): z.ZodString => z.string(`must be ${what}`).min(1, `must be ${what}, not an empty text`).max(4096, 'must be shorter')
const day = text('a time such as "2020-01-31" or "2020-01-31T12:00:00Z"')
  .refine((value) => parseIsoTime(value) !== undefined, 'must be a time such as "2020-01-31" or "2020-01-31T12:00:00Z"')
const hash = z.string('must be a SHA-256 in hexadecimal').regex(/^[0-9a-f]{64}$/, 'must be a SHA-256: 64 lower-case hexadecimal digits')

const commonSchema = z.object({
  file: text('the path of a file').optional(),
  symbol: text('a symbol such as "BTCUSDT"').optional(),
  timeframe: text('a timeframe such as "1h"').optional(),
  exchange: text('the name of an exchange').optional(),
  start_date: day.optional(),
  end_date: day.optional(),
  adjust: z.boolean('must be true or false').optional(),
  data_hash: hash.optional(),
  data_parts: z.array(z.int('must be a whole number').min(1, 'must be at least 1'), 'must be a list of bar counts').max(MOST_SYMBOLS + 1, `must have at most ${MOST_SYMBOLS + 1} counts`).optional(),
  data_warnings: z.array(z.string('must be a text'), 'must be a list of texts').max(100, 'must have at most 100 texts').optional(),
  strategy_id: z.int('must be a whole number').min(1, 'must be at least 1').optional(),
  strategy_hash: hash.optional(),
  params_order: z.array(z.string('must be the name of a parameter'), 'must be a list of names').max(1000, 'must have at most 1000 names').optional(),
})

const metricsSchema = z.object({
  periods_per_year: z.number('must be a number above 0').gt(0, 'must be above 0').max(32_000_000, 'must be at most 32000000 (one bar a second)').optional(),
  risk_free: z.number('must be a number').gt(-1, 'must be above -1').lt(1, 'must be below 1 (0.02 is 2 % a year)').default(0),
})

/** The keys a backtest may have; a sweep has these and its own. */
export const COMMON_KEYS: readonly string[] = [...Object.keys(commonSchema.shape), 'reading', 'symbols', 'finer', 'benchmark', 'strategy', 'execution', 'metrics']

/** Throws SPEC_INVALID, PARAM_INVALID, NOT_SUPPORTED. Literals are held to the keys by their type, other JSON by the parser alone. */
export function parseBacktestSpec<Json>(json: Json & Untyped<Json>, options?: ParseOptions): BacktestSpec
export function parseBacktestSpec(json: BacktestSpecInput, options?: ParseOptions): BacktestSpec
export function parseBacktestSpec(json: unknown, options: ParseOptions = {}): BacktestSpec {
  const raw = requireObject(json, '')
  refuseUnknownKeys(raw, COMMON_KEYS, '')
  return parseCommon(raw, options)
}

/** The part that a backtest and a sweep share; the caller has checked the top-level keys. */
export function parseCommon(raw: Record<string, unknown>, options: ParseOptions): BacktestSpec {
  const common = parseOrRefuse(commonSchema, raw, '')
  const bars: BarsSpec = {
    ...pick('file', common.file), ...pick('symbol', common.symbol), ...pick('timeframe', common.timeframe), ...pick('exchange', common.exchange),
    ...pick('startDate', common.start_date), ...pick('endDate', common.end_date), ...pick('adjust', common.adjust),
    ...pick('reading', parseReading(raw.reading, 'reading')), ...pick('symbols', parseSymbols(raw.symbols)), ...pick('finer', parseFiner(raw.finer)), ...pick('benchmark', parseBenchmark(raw.benchmark)), ...pick('parts', common.data_parts),
  }
  checkBars(bars, options.barsGiven === true || common.data_hash !== undefined)
  const rawMetrics = requireObject(raw.metrics ?? {}, 'metrics')
  refuseUnknownKeys(rawMetrics, Object.keys(metricsSchema.shape), 'metrics')
  const metrics = parseOrRefuse(metricsSchema, rawMetrics, 'metrics')
  const execution = parseExecution(raw.execution)
  if ((execution.intrabarPath === 'finer') !== (bars.finer !== undefined)) {
    throw specInvalid('finer', bars.finer === undefined
      ? 'execution.intrabar_path "finer" needs finer bars; add "finer": {"timeframe": "1m"} or "finer": {"file": "bars-1m.csv"}.'
      : 'finer names bars that nothing would look at; add "intrabar_path": "finer" to the execution, or leave finer out.')
  }
  if (bars.symbols !== undefined && bars.finer !== undefined) refuseNotSupported('finer', raw.finer, 'leave it out for a portfolio and choose another intrabar_path')
  if (bars.symbols !== undefined && execution.borrowRate > 0) refuseNotSupported('execution.borrow_rate', execution.borrowRate, 'leave it out for a portfolio, whose symbols share one cash')
  return {
    bars,
    ...pick('dataHash', common.data_hash), ...pick('dataWarnings', common.data_warnings),
    strategy: parseStrategy(raw, common.strategy_id),
    ...pick('paramsOrder', common.params_order ?? orderOfParams(raw.strategy)),
    ...pick('strategyHash', common.strategy_hash),
    execution,
    metrics: { ...pick('periodsPerYear', metrics.periods_per_year), riskFree: metrics.risk_free },
  }
}

const benchmarkSchema = z.object({ symbol: text('a symbol such as "BTCUSDT"'), exchange: text('the name of an exchange').optional(), timeframe: text('a timeframe such as "1d"').optional() })
const symbolSchema = z.object({ symbol: text('a symbol such as "BTCUSDT"'), file: text('the path of a file').optional(), exchange: text('the name of an exchange').optional() })
const SYMBOL_KEYS = [...Object.keys(symbolSchema.shape), 'reading']

function parseSymbols(raw: unknown): readonly SymbolSpec[] | undefined {
  if (raw === undefined) return undefined
  if (!Array.isArray(raw) || raw.length === 0 || raw.length > MOST_SYMBOLS) throw specInvalid('symbols', `symbols is ${show(raw)}, but must be a list of 1 to ${MOST_SYMBOLS} symbols, such as ["BTCUSDT", "ETHUSDT"] or [{"symbol": "GOOG", "file": "GOOG.csv"}].`)
  const symbols = raw.map((entry: unknown, k): SymbolSpec => {
    const path = `symbols.${k}`
    const given = typeof entry === 'string' ? { symbol: entry } : requireObject(entry, path)
    refuseUnknownKeys(given, SYMBOL_KEYS, path)
    const { symbol, file, exchange } = parseOrRefuse(symbolSchema, given, path)
    if (file !== undefined && exchange !== undefined) throw specInvalid(path, `${path} names both a file and stored bars; keep file or exchange.`)
    const reading = parseReading(given.reading, `${path}.reading`)
    if (reading !== undefined && file === undefined) throw specInvalid(`${path}.reading`, `${path}.reading says how a file is read, and ${path} names none.`)
    return { symbol, ...pick('file', file), ...pick('reading', reading), ...pick('exchange', exchange) }
  })
  const twice = symbols.find(({ symbol }, k) => symbols.findIndex((one) => one.symbol === symbol) !== k)
  if (twice !== undefined) throw specInvalid('symbols', `symbols names ${show(twice.symbol)} twice; each symbol has one series.`)
  return symbols
}

const READING_KEYS = ['ticker', 'date_format', 'columns', 'decimal', 'skip_bad']

function parseReading(raw: unknown, path: string): ReadingInput | undefined {
  if (raw === undefined || raw === null) return undefined
  const given = requireObject(raw, path)
  refuseUnknownKeys(given, READING_KEYS, path)
  return given
}

function parseFiner(raw: unknown): BarsSpec['finer'] {
  if (raw === undefined || raw === null) return undefined
  const given = requireObject(raw, 'finer')
  refuseUnknownKeys(given, ['file', 'reading', 'timeframe'], 'finer')
  const reading = parseReading(given.reading, 'finer.reading')
  if (reading !== undefined && given.file === undefined) throw specInvalid('finer.reading', 'finer.reading says how a file is read, and finer names none.')
  if ((given.file === undefined) === (given.timeframe === undefined)) throw specInvalid('finer', 'finer must name either a file or a timeframe.')
  return given.file === undefined
    ? { timeframe: parseOrRefuse(text('a timeframe such as "1m"'), given.timeframe, 'finer.timeframe') }
    : { file: parseOrRefuse(text('the path of a file'), given.file, 'finer.file'), ...pick('reading', reading) }
}

function parseBenchmark(raw: unknown): BenchmarkSpec | undefined {
  if (raw === undefined || raw === null) return undefined
  const path = 'benchmark'
  const given = typeof raw === 'string' ? { symbol: raw } : requireObject(raw, path)
  refuseUnknownKeys(given, ['file', 'reading', 'symbol', 'exchange', 'timeframe'], path)
  if ((given.file === undefined) === (given.symbol === undefined)) throw specInvalid(path, 'benchmark must name either a file or a symbol, such as {"file": "spx.csv"} or "BTCUSDT".')
  const stray = (given.file === undefined ? ['reading'] : ['exchange', 'timeframe']).find((key) => given[key] !== undefined)
  if (stray !== undefined) throw specInvalid(`${path}.${stray}`, `${path}.${stray} has no meaning for ${given.file === undefined ? 'stored bars' : 'a file'}; leave it out.`)
  if (given.file !== undefined) return { file: parseOrRefuse(text('the path of a file'), given.file, `${path}.file`), ...pick('reading', parseReading(given.reading, `${path}.reading`)) }
  const { symbol, exchange, timeframe } = parseOrRefuse(benchmarkSchema, given, path)
  return { symbol, ...pick('exchange', exchange), ...pick('timeframe', timeframe) }
}

function checkBars(bars: BarsSpec, given: boolean): void {
  if (bars.reading !== undefined && !given && bars.file === undefined && !(bars.symbols ?? []).some(({ file }) => file !== undefined)) throw specInvalid('reading', 'reading says how a file is read, and the spec names none; leave it out for stored bars.')
  const { benchmark } = bars
  const besides = benchmark === undefined ? 0 : 1
  if (benchmark !== undefined && 'symbol' in benchmark && benchmark.timeframe === undefined && bars.timeframe === undefined && !given) {
    throw specInvalid('benchmark.timeframe', `benchmark names the stored bars of ${benchmark.symbol}, but the spec has no timeframe; write {"symbol": ${show(benchmark.symbol)}, "timeframe": "1d"}, or name a file.`)
  }
  if (bars.symbols !== undefined) {
    if (bars.file !== undefined || bars.symbol !== undefined) throw specInvalid('symbols', 'The spec names symbols and a single file or symbol beside them; keep one.')
    if (bars.timeframe === undefined && bars.symbols.some(({ file }) => file === undefined)) throw specInvalid('timeframe', 'timeframe is missing; stored bars are named by symbol and timeframe.')
    if (bars.parts !== undefined && bars.parts.length !== bars.symbols.length + besides) throw specInvalid('data_parts', `data_parts has ${bars.parts.length} counts for ${bars.symbols.length} symbols.`)
    checkDates(bars)
    return
  }
  if (bars.file !== undefined && (bars.symbol ?? bars.timeframe ?? bars.exchange) !== undefined) {
    throw specInvalid('file', 'The spec names both a file and stored bars; keep file, or symbol with timeframe and exchange.')
  }
  if (bars.file === undefined && bars.symbol === undefined && !given) {
    throw specInvalid('file', 'The spec names no bars; add "file", or "symbol" with "timeframe".')
  }
  if (bars.symbol !== undefined && bars.timeframe === undefined) throw specInvalid('timeframe', 'timeframe is missing; stored bars are named by symbol and timeframe.')
  if (bars.finer !== undefined && 'timeframe' in bars.finer && bars.symbol === undefined && !given) throw specInvalid('finer.timeframe', 'finer.timeframe names stored bars, but the bars are a file; name the finer ones by "file" too.')
  if (bars.parts !== undefined && bars.parts.length !== (bars.finer === undefined ? 1 : 2) + besides) throw specInvalid('data_parts', `data_parts has ${bars.parts.length} counts; leave it out.`)
  checkDates(bars)
}

function checkDates(bars: BarsSpec): void {
  const start = parseIsoTime(bars.startDate ?? '')
  const end = parseIsoTime(bars.endDate ?? '')
  if (start !== undefined && end !== undefined && end < start) {
    throw specInvalid('end_date', `end_date ${bars.endDate} lies before start_date ${bars.startDate}.`)
  }
}

function parseStrategy(raw: Record<string, unknown>, strategyId: number | undefined): StrategySpec {
  if (strategyId !== undefined) {
    if (raw.strategy !== undefined) throw specInvalid('strategy', 'The spec has both strategy and strategy_id; keep one.')
    return { strategyId }
  }
  if (raw.strategy === undefined) throw specInvalid('strategy', 'The spec names no strategy; add "strategy": {"name": "sma-cross", "params": {"fast": 10, "slow": 20}}, on the command line --strategy sma-cross --set fast=10 --set slow=20.')
  const strategy = requireObject(raw.strategy, 'strategy')
  refuseUnknownKeys(strategy, ['name', 'params'], 'strategy')
  const name = parseOrRefuse(text('the name of a strategy or the path of its file'), strategy.name, 'strategy.name')
  const params = new Map<string, number>()
  for (const [key, value] of Object.entries(requireObject(strategy.params ?? {}, 'strategy.params'))) {
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw new SweepmillError('PARAM_INVALID', `strategy.params.${key} is ${show(value)}, but must be a number.`, { details: { parameter: key, value: show(value) } })
    }
    params.set(key, value)
  }
  // Not by assignment, which would drop a parameter called __proto__.
  return { name, params: Object.fromEntries(params) }
}

/** Undefined where the names stand in their own order, which every reader takes where the spec says nothing. */
function orderOfParams(strategy: unknown): readonly string[] | undefined {
  const names = Object.keys((strategy as { params?: object } | undefined)?.params ?? {})
  return names.every((name, k) => k === 0 || (names[k - 1] ?? '') < name) ? undefined : names
}

function pick<Key extends string, Value>(key: Key, value: Value | undefined): Partial<Record<Key, Value>> {
  return value === undefined ? {} : { [key]: value } as Record<Key, Value>
}
