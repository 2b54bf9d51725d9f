/**
 * The `execution` part of a spec: how decisions become fills (docs/fills.md). JSON snake_case in, camelCase
 * out, every default filled in here and nowhere else. What the contract names but this version does not build
 * is refused with NOT_SUPPORTED, never ignored.
 */
import { z } from 'zod'
import { parseOrRefuse, refuseNotSupported, refuseUnknownKeys, requireObject, specInvalid } from './refuse.js'

export type Fill = 'next_open' | 'close'
export type Direction = 'long' | 'short' | 'both'
export type SizingMode = 'all_in' | 'fraction' | 'cash' | 'units'
export type Finalize = 'mark_to_market' | 'close_last_open' | 'close_last_close'

export interface SizingSpec {
  readonly mode: SizingMode
  /** Fraction of equity × leverage, cash, or units, by mode; null for all_in. */
  readonly value: number | null
  readonly wholeUnits: boolean
  /** Units are a multiple of this; null for any amount. */
  readonly lotSize: number | null
}

export interface ExecutionSpec {
  readonly initialCash: number
  readonly fill: Fill
  readonly direction: Direction
  readonly sizing: SizingSpec
  readonly feeRate: number
  readonly feeFixed: number
  readonly spread: number
  readonly slippage: number
  readonly stopSlippage: number
  readonly leverage: number
  readonly stopLoss: number | null
  readonly takeProfit: number | null
  readonly trailingStop: number | null
  readonly stopReference: 'fill_price' | 'signal_close'
  readonly stopOnEntryBar: boolean
  readonly stopPriority: 'signal_first' | 'stop_first'
  readonly entryWhenInPosition: 'ignore'
  readonly conflictingSignals: 'ignore'
  readonly finalize: Finalize
}

const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, `must be one of ${values.join(', ')}`)
const finite = (text: string): z.ZodNumber => z.number(text)
const share = finite('must be a number from 0 to below 1').min(0, 'must be at least 0').lt(1, 'must be below 1 (0.002 is 0.2 %)')
const stopShare = finite('must be null or a number between 0 and 1').gt(0, 'must be above 0 (use null for none)').lt(1, 'must be below 1 (0.05 is 5 %)')
const flag = z.boolean('must be true or false')

const sizingSchema = z.object({
  mode: oneOf(['all_in', 'fraction', 'cash', 'units']).default('all_in'),
  value: finite('must be a number').gt(0, 'must be above 0').optional(),
  whole_units: flag.default(false),
  lot_size: finite('must be a number').gt(0, 'must be above 0').nullable().default(null),
})

const executionSchema = z.object({
  initial_cash: finite('must be a number above 0').gt(0, 'must be above 0').default(10_000),
  fill: oneOf(['next_open', 'close']).default('next_open'),
  direction: oneOf(['long', 'short', 'both']).default('long'),
  fee_rate: share.default(0),
  fee_fixed: finite('must be a number of at least 0').min(0, 'must be at least 0').default(0),
  spread: share.default(0),
  slippage: share.default(0),
  stop_slippage: share.optional(),
  leverage: finite('must be a number above 0').gt(0, 'must be above 0').max(1000, 'must be at most 1000').default(1),
  stop_loss: stopShare.nullable().default(null),
  take_profit: finite('must be null or a number above 0').gt(0, 'must be above 0 (use null for none)').max(1000, 'must be at most 1000').nullable().default(null),
  trailing_stop: stopShare.nullable().default(null),
  stop_reference: oneOf(['fill_price', 'signal_close']).default('fill_price'),
  stop_on_entry_bar: flag.default(true),
  stop_priority: oneOf(['signal_first', 'stop_first']).default('signal_first'),
  entry_when_in_position: oneOf(['ignore']).default('ignore'),
  conflicting_signals: oneOf(['ignore']).default('ignore'),
  finalize: oneOf(['mark_to_market', 'close_last_open', 'close_last_close']).default('mark_to_market'),
})

const SIZING_KEYS = Object.keys(sizingSchema.shape)
const EXECUTION_KEYS = [...Object.keys(executionSchema.shape), 'sizing', 'market']

export function parseExecution(json: unknown): ExecutionSpec {
  const raw = requireObject(json ?? {}, 'execution')
  refuseUnknownKeys(raw, EXECUTION_KEYS, 'execution')
  if (raw.market !== undefined && raw.market !== 'spot') {
    refuseNotSupported('execution.market', raw.market, 'leave it out or write "spot"; there is no funding and no maintenance margin yet')
  }
  for (const key of ['entry_when_in_position', 'conflicting_signals'] as const) {
    if (typeof raw[key] === 'string' && raw[key] !== 'ignore') refuseNotSupported(`execution.${key}`, raw[key], 'write "ignore"')
  }
  const rawSizing = requireObject(raw.sizing ?? {}, 'execution.sizing')
  refuseUnknownKeys(rawSizing, SIZING_KEYS, 'execution.sizing')
  const e = parseOrRefuse(executionSchema, raw, 'execution')
  return {
    initialCash: e.initial_cash, fill: e.fill, direction: e.direction, sizing: parseSizing(rawSizing),
    feeRate: e.fee_rate, feeFixed: e.fee_fixed, spread: e.spread, slippage: e.slippage, stopSlippage: e.stop_slippage ?? e.slippage,
    leverage: e.leverage, stopLoss: e.stop_loss, takeProfit: e.take_profit, trailingStop: e.trailing_stop,
    stopReference: e.stop_reference, stopOnEntryBar: e.stop_on_entry_bar, stopPriority: e.stop_priority,
    entryWhenInPosition: e.entry_when_in_position, conflictingSignals: e.conflicting_signals, finalize: e.finalize,
  }
}

function parseSizing(raw: Record<string, unknown>): SizingSpec {
  const s = parseOrRefuse(sizingSchema, raw, 'execution.sizing')
  const path = 'execution.sizing.value'
  if (s.mode === 'all_in' && s.value !== undefined) throw specInvalid(path, `${path} has no meaning with mode "all_in"; leave it out, or use mode "fraction", "cash" or "units".`)
  if (s.mode !== 'all_in' && s.value === undefined) throw specInvalid(path, `${path} is missing; mode "${s.mode}" needs a number above 0.`)
  if (s.mode === 'fraction' && s.value !== undefined && s.value > 1) {
    throw specInvalid(path, `${path} is ${s.value}, but a fraction must be at most 1; to use more than the equity, raise execution.leverage.`)
  }
  if (s.whole_units && s.lot_size !== null) throw specInvalid('execution.sizing.lot_size', 'execution.sizing has both whole_units and lot_size; keep one (whole units are a lot_size of 1).')
  return { mode: s.mode, value: s.value ?? null, wholeUnits: s.whole_units, lotSize: s.lot_size }
}

export function executionToJson(e: ExecutionSpec): Record<string, unknown> {
  return {
    initial_cash: e.initialCash, fill: e.fill, direction: e.direction,
    sizing: {
      mode: e.sizing.mode, ...(e.sizing.value === null ? {} : { value: e.sizing.value }),
      whole_units: e.sizing.wholeUnits, ...(e.sizing.lotSize === null ? {} : { lot_size: e.sizing.lotSize }),
    },
    fee_rate: e.feeRate, fee_fixed: e.feeFixed, spread: e.spread, slippage: e.slippage, stop_slippage: e.stopSlippage,
    leverage: e.leverage, stop_loss: e.stopLoss, take_profit: e.takeProfit, trailing_stop: e.trailingStop,
    stop_reference: e.stopReference, stop_on_entry_bar: e.stopOnEntryBar, stop_priority: e.stopPriority,
    entry_when_in_position: e.entryWhenInPosition, conflicting_signals: e.conflictingSignals, finalize: e.finalize,
  }
}
