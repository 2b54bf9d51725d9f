/**
 * The order of keys in the JSON that leaves: metrics as docs/metrics.md lists them, the keys of a spec as docs/specs.md does,
 * parameters as the spec names them, and what has no place of its own by name at the end.
 *
 * Postgres keeps the keys of jsonb by length, so that the order in which a result was made is lost on its way; every door
 * puts it back with this, and so all of them agree.
 */
import { METRIC_UNITS } from '../metrics/sweep-metrics.js'

const SPEC_KEYS: readonly string[] = [
  'file', 'reading', 'ticker', 'date_format', 'columns', 'decimal', 'skip_bad', 'symbol', 'symbols', 'finer', 'timeframe', 'exchange', 'start_date', 'end_date', 'adjust', 'benchmark', 'strategy', 'strategy_id',
  'name', 'params', 'space', 'min', 'max', 'step', 'choices', 'constraint', 'method', 'objective', 'direction', 'holdout', 'seed', 'top',
  'execution', 'metrics', 'periods_per_year', 'risk_free',
  'data_hash', 'data_parts', 'data_warnings', 'strategy_hash', 'params_order', 'space_order',
]

const EXECUTION_KEYS: readonly string[] = [
  'initial_cash', 'fill', 'direction', 'sizing', 'mode', 'value', 'whole_units', 'lot_size', 'min_notional', 'fee_rate', 'fee_fixed',
  'fee_per_unit', 'fee_min', 'maker_fee_rate', 'spread', 'slippage', 'stop_slippage', 'leverage', 'stop_loss', 'take_profit', 'trailing_stop', 'atr', 'multiple',
  'stop_reference', 'stop_on_entry_bar', 'stop_priority', 'entry_when_in_position', 'max_entries', 'conflicting_signals', 'entry_order',
  'type', 'offset', 'bars', 'finalize', 'intrabar_path', 'borrow_rate', 'tick_size', 'market', 'funding', 'maintenance_margin', 'liquidation_fee',
]

const RESULT_KEYS: readonly string[] = [
  'trials', 'reused_chunks', 'result_hash', 'objective', 'direction', 'best', 'trial', 'name', 'params', 'metrics', 'top', 'holdout', 'share', 'first_bar', 'first_time',
  'buy_and_hold', 'in_sample', 'held_out', 'symbol', 'side', 'units',
  ...Object.keys(METRIC_UNITS),
  'entry_bar', 'entry_time', 'entry_price', 'entry_fee', 'last_price', 'market_value', 'realized_pnl', 'unrealized_pnl', 'unrealized_return',
  'bars', 'start_time', 'end_time', 'warm_up_bars', 'strategy', 'initial_cash', 'rejected_entries', 'liquidated', 'interest_paid', 'funding_paid',
  'open_position', 'open_positions', 'symbols', 'benchmark', 'parity', 'monthly_returns', 'yearly_returns', 'year', 'month', 'return',
  'returns', 'days', 'periods_per_year', 'periods_per_year_reason', 'risk_free',
  'data_hash', 'spec_hash', 'engine_version', 'seed', 'conventions', 'warnings', 'null_reasons',
]

const PLACES = placesOf(SPEC_KEYS)
const EXECUTION_PLACES = placesOf(EXECUTION_KEYS)
const RESULT_PLACES = placesOf(RESULT_KEYS)

type Json = Readonly<Record<string, unknown>>
type Places = ReadonlyMap<string, number>

/** A spec as it is stored, in order. What is no spec comes back as it is. */
export function specInOrder(data: Json): Json {
  return ordered(data, PLACES, namesOf(data)) as Json
}

/** A result of the spec `data`, in order. */
export function resultInOrder(result: unknown, data: Json): unknown {
  return ordered(result, RESULT_PLACES, namesOf(data))
}

/** The parameters as the spec names them: those of the strategy first, then the axes. */
function namesOf({ strategy, params_order: given, space, space_order: axes }: Json): Places {
  const own = Array.isArray(given) ? given : Object.keys((strategy as Json | undefined)?.['params'] ?? {}).toSorted()
  return placesOf([...own, ...(Array.isArray(axes) ? axes : Object.keys(space ?? {}))].map(String))
}

function ordered(value: unknown, places: Places, names: Places): unknown {
  if (Array.isArray(value)) return typeof value[0] === 'object' ? value.map((one) => ordered(one, places, names)) : value
  if (typeof value !== 'object' || value === null) return value
  return sorted(value, places, (key, inner) => innerOf(key, inner, places, names))
}

function sorted(value: object, places: Places, within: (key: string, inner: unknown) => unknown): Json {
  const entries = Object.entries(value).toSorted(([a], [b]) => (places.get(a) ?? Infinity) - (places.get(b) ?? Infinity) || (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, within(key, inner)]))
}

function innerOf(key: string, inner: unknown, places: Places, names: Places): unknown {
  // Years of rates have nothing to put in order.
  if (key === 'funding') return inner
  if (key === 'params') return ordered(inner, names, names)
  if (key === 'space' && typeof inner === 'object' && inner !== null) return sorted(inner, names, (_name, axis) => ordered(axis, PLACES, names))
  return ordered(inner, key === 'execution' ? EXECUTION_PLACES : places, names)
}

function placesOf(keys: readonly string[]): Places {
  return new Map(keys.map((key, place) => [key, place]))
}
