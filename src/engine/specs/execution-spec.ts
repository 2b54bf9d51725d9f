/**
 * The `execution` part of a spec: how decisions become fills (docs/fills.md). JSON snake_case in, camelCase
 * out, every default filled in here and nowhere else. What the contract names but this version does not build
 * is refused with NOT_SUPPORTED, never ignored.
 */
import { z } from 'zod'
import { distanceToJson, parseDistance } from './distance.js'
import type { Distance } from './distance.js'
import { parsePerpetual, PERPETUAL_KEYS, perpetualToJson } from './perpetual-spec.js'
import type { PerpetualSpec } from './perpetual-spec.js'
import { parseOrRefuse, refuseNotSupported, refuseUnknownKeys, requireObject, specInvalid } from './refuse.js'

export type Fill = 'next_open' | 'close'
export type Direction = 'long' | 'short' | 'both'
export type SizingMode = 'all_in' | 'fraction' | 'cash' | 'units' | 'risk'
export type IntrabarPath = 'pessimistic' | 'ohlc' | 'olhc' | 'adaptive' | 'finer'
export type Finalize = 'mark_to_market' | 'close_last_open' | 'close_last_close'

export interface SizingSpec {
  readonly mode: SizingMode
  /** Fraction of equity × leverage, cash, units, or fraction of equity at risk, by mode; null for all_in. */
  readonly value: number | null
  readonly wholeUnits: boolean
  /** Units are a multiple of this; null for any amount. */
  readonly lotSize: number | null
  /** An entry of a smaller notional is refused; 0 for none. */
  readonly minNotional: number
}

/** An entry that rests in the market instead of filling at once (F22). */
export interface EntryOrderSpec {
  readonly type: 'limit' | 'stop'
  /** From the deciding bar's close. */
  readonly offset: Distance
  /** For how many bars it rests; null for good. */
  readonly bars: number | null
}

export interface ExecutionSpec {
  readonly initialCash: number
  readonly fill: Fill
  readonly direction: Direction
  readonly sizing: SizingSpec
  readonly feeRate: number
  readonly feeFixed: number
  /** On every fill, by its units; and the least that a fill pays in all. */
  readonly feePerUnit: number
  readonly feeMin: number
  readonly spread: number
  readonly slippage: number
  readonly stopSlippage: number
  readonly leverage: number
  readonly stopLoss: Distance | null
  readonly takeProfit: Distance | null
  readonly trailingStop: Distance | null
  readonly stopReference: 'fill_price' | 'signal_close'
  readonly stopOnEntryBar: boolean
  readonly stopPriority: 'signal_first' | 'stop_first'
  readonly entryWhenInPosition: 'ignore' | 'add' | 'replace'
  readonly conflictingSignals: 'ignore'
  readonly finalize: Finalize
  /** Of limit fills; `feeRate` where the spec names none. */
  readonly makerFeeRate: number
  /** Null: entries fill at the market. */
  readonly entryOrder: EntryOrderSpec | null
  readonly intrabarPath: IntrabarPath
  /** Most lots open at a time with `add`; null for any number. */
  readonly maxEntries: number | null
  /** Annual, a fraction. */
  readonly borrowRate: number
  readonly tickSize: number | null
  /** Null in a spot market. */
  readonly perpetual: PerpetualSpec | null
}

const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, `must be one of ${values.join(', ')}`)
const finite = (text: string): z.ZodNumber => z.number(text)
const share = finite('must be a number from 0 to below 1').min(0, 'must be at least 0').lt(1, 'must be below 1 (0.002 is 0.2 %)')
const flag = z.boolean('must be true or false')

const sizingSchema = z.object({
  mode: oneOf(['all_in', 'fraction', 'cash', 'units', 'risk']).default('all_in'),
  value: finite('must be a number').gt(0, 'must be above 0').optional(),
  whole_units: flag.default(false),
  lot_size: finite('must be a number').gt(0, 'must be above 0').nullable().default(null),
  min_notional: finite('must be a number of at least 0').min(0, 'must be at least 0').default(0),
})

const entryOrderSchema = z.object({
  type: oneOf(['limit', 'stop']),
  bars: z.int('must be null or a whole number of bars').min(1, 'must be at least 1').nullable().default(1),
})
const STOP_RANGE = { least: Number.MIN_VALUE, below: 1, example: '0.05 is 5 %' }
const TARGET_RANGE = { least: Number.MIN_VALUE, below: 1001, example: '0.1 is 10 %' }
const OFFSET_RANGE = { least: 0, below: 1, example: '0.01 is 1 %' }

const executionSchema = z.object({
  initial_cash: finite('must be a number above 0').gt(0, 'must be above 0').default(10_000),
  fill: oneOf(['next_open', 'close']).default('next_open'),
  direction: oneOf(['long', 'short', 'both']).default('long'),
  fee_rate: share.default(0),
  fee_fixed: finite('must be a number of at least 0').min(0, 'must be at least 0').default(0),
  fee_per_unit: finite('must be a number of at least 0').min(0, 'must be at least 0').default(0),
  fee_min: finite('must be a number of at least 0').min(0, 'must be at least 0').default(0),
  spread: share.default(0),
  slippage: share.default(0),
  stop_slippage: share.optional(),
  leverage: finite('must be a number above 0').gt(0, 'must be above 0').max(1000, 'must be at most 1000').default(1),
  stop_reference: oneOf(['fill_price', 'signal_close']).default('fill_price'),
  stop_on_entry_bar: flag.default(true),
  stop_priority: oneOf(['signal_first', 'stop_first']).default('signal_first'),
  entry_when_in_position: oneOf(['ignore', 'add', 'replace']).default('ignore'),
  conflicting_signals: oneOf(['ignore']).default('ignore'),
  finalize: oneOf(['mark_to_market', 'close_last_open', 'close_last_close']).default('mark_to_market'),
  maker_fee_rate: share.optional(),
  intrabar_path: oneOf(['pessimistic', 'ohlc', 'olhc', 'adaptive', 'finer']).default('pessimistic'),
  max_entries: z.int('must be null or a whole number').min(1, 'must be at least 1').nullable().default(null),
  borrow_rate: finite('must be a number from 0 to 10').min(0, 'must be at least 0').max(10, 'must be at most 10 (0.05 is 5 % a year)').default(0),
  tick_size: finite('must be null or a number above 0').gt(0, 'must be above 0').nullable().default(null),
  market: oneOf(['spot', 'perpetual']).default('spot'),
})

const SIZING_KEYS = Object.keys(sizingSchema.shape)
const EXECUTION_KEYS = [...Object.keys(executionSchema.shape), 'sizing', 'stop_loss', 'take_profit', 'trailing_stop', 'entry_order', ...PERPETUAL_KEYS]

export function parseExecution(json: unknown): ExecutionSpec {
  const raw = requireObject(json ?? {}, 'execution')
  refuseUnknownKeys(raw, EXECUTION_KEYS, 'execution')
  if (typeof raw.conflicting_signals === 'string' && raw.conflicting_signals !== 'ignore') refuseNotSupported('execution.conflicting_signals', raw.conflicting_signals, 'write "ignore"')
  const rawSizing = requireObject(raw.sizing ?? {}, 'execution.sizing')
  refuseUnknownKeys(rawSizing, SIZING_KEYS, 'execution.sizing')
  const e = parseOrRefuse(executionSchema, raw, 'execution')
  const spec: ExecutionSpec = {
    initialCash: e.initial_cash, fill: e.fill, direction: e.direction, sizing: parseSizing(rawSizing),
    feeRate: e.fee_rate, feeFixed: e.fee_fixed, feePerUnit: e.fee_per_unit, feeMin: e.fee_min,
    spread: e.spread, slippage: e.slippage, stopSlippage: e.stop_slippage ?? e.slippage, leverage: e.leverage,
    stopLoss: parseDistance(raw.stop_loss, 'execution.stop_loss', STOP_RANGE), takeProfit: parseDistance(raw.take_profit, 'execution.take_profit', TARGET_RANGE),
    trailingStop: parseDistance(raw.trailing_stop, 'execution.trailing_stop', STOP_RANGE),
    stopReference: e.stop_reference, stopOnEntryBar: e.stop_on_entry_bar, stopPriority: e.stop_priority,
    entryWhenInPosition: e.entry_when_in_position, conflictingSignals: e.conflicting_signals, finalize: e.finalize,
    makerFeeRate: e.maker_fee_rate ?? e.fee_rate, entryOrder: parseEntryOrder(raw.entry_order), intrabarPath: e.intrabar_path, maxEntries: e.max_entries,
    borrowRate: e.borrow_rate, tickSize: e.tick_size, perpetual: e.market === 'perpetual' ? parsePerpetual(raw, e.leverage) : null,
  }
  refuseContradictions(spec, raw)
  return spec
}

/** Keys that mean nothing beside each other: whoever wrote them expects something that would not happen. */
function refuseContradictions(e: ExecutionSpec, raw: Record<string, unknown>): void {
  if (e.perpetual === null) {
    for (const key of PERPETUAL_KEYS) if (raw[key] !== undefined && raw[key] !== null) throw specInvalid(`execution.${key}`, `execution.${key} has a meaning only for perpetuals; add "market": "perpetual", or leave it out.`)
  } else if (e.borrowRate > 0) throw specInvalid('execution.borrow_rate', 'execution.borrow_rate has no meaning for perpetuals, which pay funding; leave it out.')
  if (e.feeMin > 0) refuseIdleMinimum(e)
  if (e.maxEntries !== null && e.entryWhenInPosition !== 'add') throw specInvalid('execution.max_entries', 'execution.max_entries has a meaning only with "entry_when_in_position": "add".')
  if (e.stopPriority === 'stop_first' && (e.intrabarPath !== 'pessimistic' || e.entryOrder !== null)) {
    throw specInvalid('execution.stop_priority', 'execution.stop_priority "stop_first" is there for parity with vectorbt, and needs the pessimistic intrabar_path and entries at the market; leave one of them out.')
  }
  if (e.sizing.mode === 'risk' && e.stopLoss === null && e.trailingStop === null) {
    throw specInvalid('execution.sizing.mode', 'execution.sizing.mode "risk" sizes by the distance to the stop; add a stop_loss or a trailing_stop.')
  }
}

/** A minimum that no fee could be below or above. */
function refuseIdleMinimum({ feeMin, feeRate, makerFeeRate, feePerUnit, feeFixed, perpetual }: ExecutionSpec): void {
  const path = 'execution.fee_min'
  if (perpetual !== null) throw specInvalid(path, `${path} has no meaning for perpetuals, whose margins are worked out with fees that grow with the fill; leave it out.`)
  if (feeRate === 0 && makerFeeRate === 0 && feePerUnit === 0) throw specInvalid(path, `${path} is the least of a fee that grows with the fill, and there is none; add fee_per_unit or fee_rate, or write fee_fixed in its place.`)
  if (feeFixed >= feeMin) throw specInvalid(path, `${path} is ${feeMin}, but fee_fixed alone is ${feeFixed} already; leave one of them out.`)
}

function parseEntryOrder(raw: unknown): EntryOrderSpec | null {
  if (raw === undefined || raw === null) return null
  const path = 'execution.entry_order'
  const given = requireObject(raw, path)
  refuseUnknownKeys(given, ['type', 'offset', 'bars'], path)
  const { type, bars } = parseOrRefuse(entryOrderSchema, given, path)
  return { type, offset: parseDistance(given.offset, `${path}.offset`, OFFSET_RANGE) ?? 0, bars }
}

function parseSizing(raw: Record<string, unknown>): SizingSpec {
  const s = parseOrRefuse(sizingSchema, raw, 'execution.sizing')
  const path = 'execution.sizing.value'
  if (s.mode === 'all_in' && s.value !== undefined) throw specInvalid(path, `${path} has no meaning with mode "all_in"; leave it out, or use mode "fraction", "cash" or "units".`)
  if (s.mode !== 'all_in' && s.value === undefined) throw specInvalid(path, `${path} is missing; mode "${s.mode}" needs a number above 0.`)
  if (s.mode === 'risk' && s.value !== undefined && s.value >= 1) throw specInvalid(path, `${path} is ${s.value}, but what is at risk must be below 1 (0.01 is 1 % of the equity).`)
  if (s.mode === 'fraction' && s.value !== undefined && s.value > 1) {
    throw specInvalid(path, `${path} is ${s.value}, but a fraction must be at most 1; to use more than the equity, raise execution.leverage.`)
  }
  if (s.whole_units && s.lot_size !== null) throw specInvalid('execution.sizing.lot_size', 'execution.sizing has both whole_units and lot_size; keep one (whole units are a lot_size of 1).')
  return { mode: s.mode, value: s.value ?? null, wholeUnits: s.whole_units, lotSize: s.lot_size, minNotional: s.min_notional }
}

export function executionToJson(e: ExecutionSpec): Record<string, unknown> {
  return {
    initial_cash: e.initialCash, fill: e.fill, direction: e.direction,
    sizing: {
      mode: e.sizing.mode, ...(e.sizing.value === null ? {} : { value: e.sizing.value }),
      whole_units: e.sizing.wholeUnits, ...(e.sizing.lotSize === null ? {} : { lot_size: e.sizing.lotSize }),
      ...(e.sizing.minNotional === 0 ? {} : { min_notional: e.sizing.minNotional }),
    },
    fee_rate: e.feeRate, fee_fixed: e.feeFixed, spread: e.spread, slippage: e.slippage, stop_slippage: e.stopSlippage,
    leverage: e.leverage, stop_loss: distanceToJson(e.stopLoss), take_profit: distanceToJson(e.takeProfit), trailing_stop: distanceToJson(e.trailingStop),
    stop_reference: e.stopReference, stop_on_entry_bar: e.stopOnEntryBar, stop_priority: e.stopPriority,
    entry_when_in_position: e.entryWhenInPosition, conflicting_signals: e.conflictingSignals, finalize: e.finalize,
    // Left out where they change nothing, so that the hash of a spec says what it always said.
    ...(e.feePerUnit === 0 ? {} : { fee_per_unit: e.feePerUnit }),
    ...(e.feeMin === 0 ? {} : { fee_min: e.feeMin }),
    ...(e.makerFeeRate === e.feeRate ? {} : { maker_fee_rate: e.makerFeeRate }),
    ...(e.entryOrder === null ? {} : { entry_order: { type: e.entryOrder.type, offset: distanceToJson(e.entryOrder.offset), bars: e.entryOrder.bars } }),
    ...(e.intrabarPath === 'pessimistic' ? {} : { intrabar_path: e.intrabarPath }),
    ...(e.maxEntries === null ? {} : { max_entries: e.maxEntries }),
    ...(e.borrowRate === 0 ? {} : { borrow_rate: e.borrowRate }),
    ...(e.tickSize === null ? {} : { tick_size: e.tickSize }),
    ...(e.perpetual === null ? {} : perpetualToJson(e.perpetual)),
  }
}
