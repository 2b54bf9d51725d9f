/**
 * The flags that describe work (bars, strategy, execution) and the spec they make.
 *
 * A spec file is read first and flags override it key by key. The result is unparsed JSON, exactly what
 * a POST would carry; nothing is validated here but what only the command line can get wrong.
 */
import { createReadStream, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import { SweepmillError } from '../base/errors.js'
import { notRegular, readRegular } from '../base/regular-file.js'
import { isTooDeep, TOO_DEEP } from '../base/json-depth.js'
import { repeatedKey } from '../base/repeated-key.js'
import { numberOf, parseExecution, parseSettings, parseSpace } from './assignments.js'
import { addReadingFlags, readingOf } from './reading-flags.js'
import type { ReadingFlags } from './reading-flags.js'

export type Spec = Record<string, unknown>

export interface SpecFlags extends ReadingFlags {
  readonly spec?: string
  readonly data?: readonly string[]
  readonly symbol?: readonly string[]
  readonly timeframe?: string
  readonly exchange?: string
  readonly strategy?: string
  readonly strategyId?: number
  readonly set?: readonly string[]
  readonly start?: string
  readonly end?: string
  readonly adjust?: boolean
  readonly cash?: number
  readonly feeRate?: number
  readonly slippage?: number
  readonly direction?: string
  readonly fill?: string
  readonly riskFree?: number
  readonly benchmark?: string
  readonly execution?: readonly string[]
}

export interface SweepFlags extends SpecFlags {
  readonly param?: readonly string[]
  readonly constraint?: string
  readonly objective?: string
  readonly objectiveDirection?: string
  readonly holdout?: number
  readonly seed?: number
  readonly top?: number
}

export function number(text: string): number {
  const value = numberOf(text)
  if (value === undefined) throw new InvalidArgumentError('Write a number.')
  return value
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Write a whole number.')
  return Number(text)
}

export const repeated = (text: string, before: readonly string[] = []): readonly string[] => [...before, text]

export function addSpecFlags(command: Command): Command {
  return addReadingFlags(command)
    .option('--spec <file>', 'JSON spec; flags override it')
    .option('--data <file>', 'file of bars: CSV (also in gzip or zip) or Parquet; several make a portfolio (repeatable)', repeated)
    .option('--symbol <name>', 'stored bars instead of a file, such as BTCUSDT (repeatable)', repeated)
    .option('--timeframe <name>', 'how long a stored bar is, such as 1h; made of shorter ones where it is not stored')
    .option('--exchange <name>', 'where stored bars are from; needed if several have the symbol')
    .option('--strategy <name|file>', 'a built-in strategy, or a file such as ./mine.ts')
    .option('--strategy-id <id>', 'a stored strategy with its parameters; "sweepmill strategies list" shows them', wholeNumber)
    .option('--set <name=value>', 'a parameter of the strategy (repeatable)', repeated)
    .option('--start <date>', 'first bar, such as 2010-01-01')
    .option('--end <date>', 'last bar')
    .option('--adjust', 'adjust prices for splits and dividends by the adjclose column')
    .option('--cash <amount>', 'cash at the start (default: 10000)', number)
    .option('--fee-rate <fraction>', 'fee on every fill\'s notional, such as 0.002 (default: 0)', number)
    .option('--slippage <fraction>', 'how far a market fill moves against the trader, such as 0.0005 (default: 0)', number)
    .addOption(new Option('--direction <side>', 'which side to trade: long, short or both (default: long)').argParser(direction))
    .addOption(new Option('--fill <when>', 'when a decision fills: next_open or close (default: next_open)').argParser((text) => text.replaceAll('-', '_')))
    .option('--risk-free <rate>', 'risk-free rate of the metrics, a year, as a fraction: 0.02 is 2 % (default: 0)', number)
    .option('--benchmark <symbol|file>', 'what alpha, beta and the benchmark\'s returns are against: stored bars or a file (default: buy and hold of the same bars)')
    .option('--execution <key=value>', 'any other key of the execution, such as sizing.whole_units=true (repeatable)', repeated)
}

export function addSweepFlags(command: Command): Command {
  return addSpecFlags(command)
    .option('--param <name=min:max:step>', 'a parameter to sweep; or choices, as name=5,10,20 (repeatable)', repeated)
    .option('--constraint <expression>', 'which combinations count, such as "fast < slow"')
    .option('--objective <metric>', 'metric to optimise (default: sharpe_ratio)')
    .addOption(new Option('--objective-direction <way>', 'which way the objective is better').choices(['maximize', 'minimize']))
    .option('--holdout <fraction>', 'keep this last share of the bars to check the best trials on', number)
    .option('--seed <number>', 'seed of everything random', wholeNumber)
    .option('--top <count>', 'how many of the best trials to keep (default: 10)', wholeNumber)
}

function direction(text: string): string {
  if (text === 'maximize' || text === 'minimize') throw new InvalidArgumentError(`That is the objective's: write --objective-direction ${text}.`)
  return text
}

export async function backtestSpec(flags: SpecFlags): Promise<Spec> {
  const spec = flags.spec === undefined ? {} : await readSpecFile(flags.spec)
  overrideBars(spec, flags)
  overrideReading(spec, flags)
  overrideStrategy(spec, flags)
  override(spec, { start_date: flags.start, end_date: flags.end, adjust: flags.adjust })
  const execution = merged(objectAt(spec, 'execution'), parseExecution(flags.execution ?? []))
  override(execution, {
    initial_cash: flags.cash, fee_rate: flags.feeRate, slippage: flags.slippage, direction: flags.direction, fill: flags.fill,
  })
  if (Object.keys(execution).length > 0) spec['execution'] = execution
  if (flags.benchmark !== undefined) {
    for (const key of ['data_hash', 'data_parts']) delete spec[key]
    spec['benchmark'] = isFileName(flags.benchmark) ? { file: flags.benchmark } : { symbol: flags.benchmark }
  }
  if (flags.riskFree !== undefined) spec['metrics'] = { ...objectAt(spec, 'metrics'), risk_free: flags.riskFree }
  for (const file of filesOf(spec)) await assertFile(file)
  return spec
}

/** Bars named by flags replace those of the file as a whole. */
function overrideBars(spec: Spec, flags: SpecFlags): void {
  const { data, symbol: symbols, timeframe, exchange } = flags
  if (data !== undefined) {
    if (symbols !== undefined) throw new SweepmillError('USAGE', '--data names a file and --symbol stored bars: keep one of them.', { details: { flag: '--data' } })
    if (timeframe !== undefined || exchange !== undefined) {
      const flag = timeframe === undefined ? '--exchange' : '--timeframe'
      throw new SweepmillError('USAGE', `${flag} belongs to stored bars, and the bars of a --data file are taken as they are: leave it out, or put the file into the store with "sweepmill import" and name it by --symbol.`, { details: { flag } })
    }
    for (const key of ['symbol', 'symbols', 'timeframe', 'exchange', 'data_hash', 'data_parts']) delete spec[key]
    if (data.length === 1) spec['file'] = data[0]
    else spec['symbols'] = data.map((file) => ({ symbol: basename(file).replace(/(\.[a-z]+)+$/i, ''), file }))
    if (data.length > 1) delete spec['file']
  } else if (symbols !== undefined || timeframe !== undefined || exchange !== undefined) {
    for (const key of ['file', 'data_hash', 'data_parts']) delete spec[key]
    // Another symbol than the file's comes without the file's exchange.
    if (symbols !== undefined && symbols[0] !== spec['symbol']) delete spec['exchange']
    if (symbols !== undefined) for (const key of ['symbol', 'symbols']) delete spec[key]
    override(spec, { ...(symbols === undefined ? {} : symbols.length === 1 ? { symbol: symbols[0] } : { symbols }), timeframe, exchange })
  } else if (flags.spec === undefined) {
    throw new SweepmillError('USAGE', 'No bars were named: write --data FILE.csv, or --symbol NAME --timeframe 1h for stored ones, or --spec FILE.json.', { details: { flag: '--data' } })
  }
}

/** Key by key, as all flags; another file than the spec's comes without the spec's reading. */
function overrideReading(spec: Spec, flags: SpecFlags): void {
  if (flags.data !== undefined || (flags.symbol !== undefined && spec['file'] === undefined)) delete spec['reading']
  const reading = readingOf(flags)
  if (reading !== undefined) spec['reading'] = { ...objectAt(spec, 'reading'), ...reading }
}

/** A symbol has neither a folder nor one of the endings of files of bars. */
function isFileName(text: string): boolean {
  return /[/\\]/.test(text) || /\.(csv|txt|parquet|zip|gz)$/i.test(text) || statSync(text, { throwIfNoEntry: false })?.isFile() === true
}

/** What stands in the spec, whatever it is: its parser judges it. */
function filesOf(spec: Spec): string[] {
  const symbols: readonly unknown[] = Array.isArray(spec['symbols']) ? spec['symbols'] : []
  return [spec, spec['benchmark'], ...symbols].map((one) => (typeof one === 'object' && one !== null ? (one as Spec)['file'] : undefined)).filter((file) => typeof file === 'string')
}

export async function sweepSpec(flags: SweepFlags): Promise<Spec> {
  const spec = await backtestSpec(flags)
  const space = parseSpace(flags.param ?? [])
  // Flags replace the file's space as a whole: a grid mixed from two places is nobody's intention.
  if (Object.keys(space).length > 0) spec['space'] = space
  override(spec, {
    constraint: flags.constraint, objective: flags.objective, direction: flags.objectiveDirection, holdout: flags.holdout, seed: flags.seed, top: flags.top,
  })
  return spec
}

/** Another strategy than the file's comes without the file's parameters. */
function overrideStrategy(spec: Spec, flags: SpecFlags): void {
  const settings = parseSettings(flags.set ?? [])
  if (flags.strategyId !== undefined) {
    const other = flags.strategy === undefined ? Object.keys(settings).length === 0 ? null : '--set' : '--strategy'
    if (other !== null) throw new SweepmillError('USAGE', `--strategy-id names a strategy with its parameters: leave ${other} out, or write --strategy NAME instead.`, { details: { flag: other } })
    for (const key of ['strategy', 'strategy_hash']) delete spec[key]
    spec['strategy_id'] = flags.strategyId
    return
  }
  if (flags.strategy === undefined && Object.keys(settings).length === 0) return
  const before = objectAt(spec, 'strategy')
  const name = flags.strategy ?? before['name']
  if (name === undefined) throw new SweepmillError('USAGE', '--set needs a strategy: write --strategy NAME too.', { details: { flag: '--strategy' } })
  const same = before['name'] === name
  if (!same) delete spec['strategy_hash']
  delete spec['strategy_id']
  const params = { ...(same ? objectAt(before, 'params') : {}), ...settings }
  spec['strategy'] = { ...(same ? before : {}), name, ...(Object.keys(params).length > 0 ? { params } : {}) }
}

function override(target: Spec, values: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(values)) if (value !== undefined) target[key] = value
}

/** Objects inside are merged one level deep: `sizing.mode` by flag keeps the file's `sizing.whole_units`. */
function merged(base: Spec, over: Spec): Spec {
  const result = { ...base }
  for (const [key, value] of Object.entries(over)) {
    result[key] = typeof value === 'object' && value !== null ? { ...objectAt(base, key), ...value } : value
  }
  return result
}

/** The object under `key`, or an empty one. What is there but no object stays for the parser to refuse, unless a flag replaces it. */
function objectAt(spec: Spec, key: string): Spec {
  const value = spec[key]
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...(value as Spec) } : {}
}

export async function readSpecFile(path: string): Promise<Spec> {
  const text = (await specText(path)).replace(/^\uFEFF/, '')
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SweepmillError('SPEC_INVALID', `${path} is not JSON: ${why}.`, { details: { path }, cause })
  }
  if (isTooDeep(json)) throw new SweepmillError('SPEC_INVALID', `Something in ${path} ${TOO_DEEP}.`, { details: { path } })
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new SweepmillError('SPEC_INVALID', `${path} must hold one JSON object: the spec.`, { details: { path } })
  }
  const twice = repeatedKey(text)
  if (twice !== undefined) throw new SweepmillError('SPEC_INVALID', `${path} gives the key "${twice}" twice in one object, and only the last would count; keep one.`, { details: { path, key: twice } })
  return json as Spec
}

/** What the shell opened for us: `--spec <(jq … big.json)`. Its writer is there, so it is read to its end. */
const OPENED = /^\/(dev\/(stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/
const MOST_SPEC_BYTES = 2 ** 24

async function specText(path: string): Promise<string> {
  const found = OPENED.test(path) ? await stat(path).catch(() => undefined) : undefined
  if (found?.isFile() !== false) {
    await assertFile(path)
    return readRegular(path, 'The spec', MOST_SPEC_BYTES).toString('utf8')
  }
  const parts: Buffer[] = []
  let length = 0
  for await (const part of createReadStream(path) as AsyncIterable<Buffer>) {
    length += part.length
    if (length > MOST_SPEC_BYTES) throw new SweepmillError('PAYLOAD_TOO_LARGE', `The spec ${path} has more than ${MOST_SPEC_BYTES} bytes.`, { details: { path } })
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** FILE_NOT_FOUND before a thread or a service starts. */
export async function assertFile(path: string): Promise<void> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'does not exist' : `cannot be read (${cause.code ?? cause.message})`
    throw new SweepmillError('FILE_NOT_FOUND', `${resolve(path)} ${why}.`, { details: { path }, cause })
  })
  if (!found.isFile()) throw notRegular(found, resolve(path), 'The file')
}
