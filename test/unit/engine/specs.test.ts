/** Specs: defaults, the way there and back, and a refusal with a code and a sentence for each mistake. */
import { executionToJson, parseExecution } from '../../../src/engine/specs/execution-spec.js'
import { describe, expect, test } from 'vitest'
import { checkParams, builtinStrategy, defineStrategy, describeStrategy, hashInput, parseBacktestSpec, parseSweepSpec, specToJson } from '../../../src/engine/index.js'
import { refusal } from './refusal.js'

const minimal = { file: 'GOOG.csv', strategy: { name: 'sma-cross', params: { fast: 10, slow: 20 } } }
const sweep = { file: 'GOOG.csv', strategy: { name: 'sma-cross' }, space: { slow: { min: 20, max: 50, step: 10 }, fast: { choices: [5, 10] } } }
const withExecution = (execution: unknown): unknown => ({ ...minimal, execution })

describe('backtest specs', () => {
  test('defaults are the contract\'s', () => {
    expect(specToJson(parseBacktestSpec(minimal))).toEqual({
      ...minimal,
      execution: {
        initial_cash: 10_000, fill: 'next_open', direction: 'long', sizing: { mode: 'all_in', whole_units: false },
        fee_rate: 0, fee_fixed: 0, spread: 0, slippage: 0, stop_slippage: 0, leverage: 1, stop_loss: null, take_profit: null, trailing_stop: null,
        stop_reference: 'fill_price', stop_on_entry_bar: true, stop_priority: 'signal_first',
        entry_when_in_position: 'ignore', conflicting_signals: 'ignore', finalize: 'mark_to_market',
      },
      metrics: { risk_free: 0 },
    })
  })

  test('the canonical form parses to itself', () => {
    const full = {
      symbol: 'BTCUSDT', timeframe: '1h', exchange: 'bybit', start_date: '2020-01-01', end_date: '2021-01-01T12:00:00Z', adjust: false,
      data_hash: 'a'.repeat(64), strategy: { name: './mine.ts', params: { b: 1, a: 2 } }, strategy_hash: 'b'.repeat(64),
      execution: { sizing: { mode: 'fraction', value: 0.5, lot_size: 0.01 }, slippage: 0.001, stop_slippage: 0, stop_loss: 0.05, trailing_stop: 0.1 },
      metrics: { periods_per_year: 8760, risk_free: 0.02 },
    }
    const json = specToJson(parseBacktestSpec(full as unknown))
    expect(specToJson(parseBacktestSpec(json))).toEqual(json)
    expect(json).toMatchObject({ execution: { slippage: 0.001, stop_slippage: 0 }, exchange: 'bybit' })
  })

  test('the hashed text ignores the order of keys, and the place of pinned bars', () => {
    const text = hashInput(parseBacktestSpec(minimal))
    expect(hashInput(parseBacktestSpec({ strategy: { params: { slow: 20, fast: 10 }, name: 'sma-cross' }, file: 'GOOG.csv', execution: { fee_rate: 0 } }))).toBe(text)
    expect(hashInput(parseBacktestSpec({ ...minimal, file: 'other.csv' }))).not.toBe(text)
    const pinned = { ...minimal, data_hash: 'c'.repeat(64) }
    expect(hashInput(parseBacktestSpec({ ...pinned, file: 'other.csv' }))).toBe(hashInput(parseBacktestSpec(pinned)))
    expect(hashInput(parseBacktestSpec({ ...pinned, start_date: '2020-01-01' }))).not.toBe(hashInput(parseBacktestSpec(pinned)))
  })

  test.each<[string, unknown, string, string]>([
    ['no object', [1], 'SPEC_INVALID', 'must be a JSON object'],
    ['no bars', { strategy: minimal.strategy }, 'SPEC_INVALID', 'names no bars'],
    ['two kinds of bars', { ...minimal, symbol: 'X' }, 'SPEC_INVALID', 'both a file and stored bars'],
    ['no timeframe', { symbol: 'X', strategy: minimal.strategy }, 'SPEC_INVALID', 'timeframe is missing'],
    ['no strategy', { file: 'x.csv' }, 'SPEC_INVALID', 'names no strategy'],
    ['two strategies', { ...minimal, strategy_id: 4 }, 'SPEC_INVALID', 'keep one'],
    ['unknown key', { ...minimal, strateggy: 1 }, 'SPEC_INVALID', 'did you mean "strategy"'],
    ['unknown nested key', withExecution({ fee_rat: 0.1 }), 'SPEC_INVALID', '"execution.fee_rat"; did you mean "fee_rate"'],
    ['unknown sizing key', withExecution({ sizing: { whole_unit: true } }), 'SPEC_INVALID', 'did you mean "whole_units"'],
    ['unknown metrics key', { ...minimal, metrics: { rf: 1 } }, 'SPEC_INVALID', '"metrics.rf"'],
    ['text for a number', withExecution({ fee_rate: '0.1' }), 'SPEC_INVALID', 'execution.fee_rate is "0.1", but must be a number'],
    ['fee above 1', withExecution({ fee_rate: 2 }), 'SPEC_INVALID', 'must be below 1'],
    ['NaN', withExecution({ initial_cash: NaN }), 'SPEC_INVALID', 'execution.initial_cash is NaN'],
    ['a least fee of nothing', withExecution({ fee_min: 1 }), 'SPEC_INVALID', 'add fee_per_unit or fee_rate, or write fee_fixed'],
    ['a least fee below the fixed one', withExecution({ fee_min: 1, fee_per_unit: 0.005, fee_fixed: 2 }), 'SPEC_INVALID', 'fee_fixed alone is 2 already'],
    ['a least fee of a perpetual', withExecution({ fee_min: 1, fee_rate: 0.001, market: 'perpetual' }), 'SPEC_INVALID', 'no meaning for perpetuals'],
    ['a fee per unit below 0', withExecution({ fee_per_unit: -0.005 }), 'SPEC_INVALID', 'execution.fee_per_unit is -0.005, but must be at least 0'],
    ['no cash', withExecution({ initial_cash: 0 }), 'SPEC_INVALID', 'must be above 0'],
    ['bad word', withExecution({ fill: 'open' }), 'SPEC_INVALID', 'must be one of next_open, close'],
    ['value with all_in', withExecution({ sizing: { mode: 'all_in', value: 3 } }), 'SPEC_INVALID', 'no meaning with mode "all_in"'],
    ['no value', withExecution({ sizing: { mode: 'cash' } }), 'SPEC_INVALID', 'execution.sizing.value is missing'],
    ['fraction above 1', withExecution({ sizing: { mode: 'fraction', value: 2 } }), 'SPEC_INVALID', 'at most 1'],
    ['two roundings', withExecution({ sizing: { whole_units: true, lot_size: 2 } }), 'SPEC_INVALID', 'keep one'],
    ['a market of no kind', withExecution({ market: 'margin' }), 'SPEC_INVALID', 'must be one of spot, perpetual'],
    ['funding in a spot market', withExecution({ funding: { rate: 0.0001 } }), 'SPEC_INVALID', 'only for perpetuals'],
    ['funding without a rate', withExecution({ market: 'perpetual', funding: { interval_hours: 8 } }), 'SPEC_INVALID', 'execution.funding.rate is missing'],
    ['funding out of order', withExecution({ market: 'perpetual', funding: [{ time: '2024-01-02', rate: 0 }, { time: '2024-01-01', rate: 0 }] }), 'SPEC_INVALID', 'does not come after'],
    ['a margin below its maintenance', withExecution({ market: 'perpetual', leverage: 100, maintenance_margin: 0.01 }), 'SPEC_INVALID', 'liquidated at once'],
    ['tiers that do not end', withExecution({ market: 'perpetual', maintenance_margin: [{ up_to: 1000, rate: 0.01 }] }), 'SPEC_INVALID', 'the last tier has no end'],
    ['tiers that fall', withExecution({ market: 'perpetual', maintenance_margin: [{ up_to: 1000, rate: 0.01 }, { rate: 0.005 }] }), 'SPEC_INVALID', 'at least 0.01'],
    ['interest on a perpetual', withExecution({ market: 'perpetual', borrow_rate: 0.05 }), 'SPEC_INVALID', 'which pay funding'],
    ['a bound on lots that are not added', withExecution({ max_entries: 3 }), 'SPEC_INVALID', '"entry_when_in_position": "add"'],
    ['an order by no word', withExecution({ entry_order: { type: 'market' } }), 'SPEC_INVALID', 'execution.entry_order.type is "market", but must be one of limit, stop'],
    ['half an ATR', withExecution({ stop_loss: { atr: 14.5, multiple: 2 } }), 'SPEC_INVALID', 'execution.stop_loss.atr is 14.5'],
    ['an ATR without a multiple', withExecution({ trailing_stop: { atr: 14 } }), 'SPEC_INVALID', 'execution.trailing_stop.multiple is undefined'],
    ['a distance in words', withExecution({ take_profit: '5%' }), 'SPEC_INVALID', '{"atr": 14, "multiple": 2}'],
    ['risk without a stop', withExecution({ sizing: { mode: 'risk', value: 0.01 } }), 'SPEC_INVALID', 'add a stop_loss or a trailing_stop'],
    ['a path with vectorbt\'s priority', withExecution({ stop_loss: 0.1, stop_priority: 'stop_first', intrabar_path: 'ohlc' }), 'SPEC_INVALID', 'parity with vectorbt'],
    ['conflicts', withExecution({ conflicting_signals: 'entry' }), 'NOT_SUPPORTED', 'execution.conflicting_signals "entry"'],
    ['bad date', { ...minimal, start_date: '2020-02-30' }, 'SPEC_INVALID', 'start_date is "2020-02-30", but must be a time'],
    ['dates reversed', { ...minimal, start_date: '2021-01-01', end_date: '2020-01-01' }, 'SPEC_INVALID', 'lies before'],
    ['bad hash', { ...minimal, data_hash: 'xyz' }, 'SPEC_INVALID', 'must be a SHA-256'],
    ['text parameter', { ...minimal, strategy: { name: 'sma-cross', params: { fast: '10' } } }, 'PARAM_INVALID', 'strategy.params.fast is "10"'],
    ['a sweep\'s key', { ...minimal, space: {} }, 'SPEC_INVALID', 'Unknown key "space"'],
  ])('refuses %s', (_name, json, code, part) => {
    const error = refusal(() => parseBacktestSpec(json))
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(part)])
  })
})

test('every key of the execution comes back from its JSON', () => {
  const spot = {
    stop_loss: { atr: 14, multiple: 2 }, take_profit: 0.5, trailing_stop: { multiple: 3, atr: 20 }, sizing: { mode: 'risk', value: 0.01, lot_size: 0.1, min_notional: 10 },
    entry_when_in_position: 'add', max_entries: 3, entry_order: { type: 'limit', offset: { atr: 5, multiple: 0.5 }, bars: null }, intrabar_path: 'adaptive',
    maker_fee_rate: 0.0002, fee_rate: 0.0005, fee_per_unit: 0.005, fee_min: 1, tick_size: 0.5, borrow_rate: 0.05,
  }
  const perpetual = {
    market: 'perpetual', leverage: 10, funding: [{ time: '2024-01-01T00:00:00Z', rate: 0.0001 }, { time: '2024-01-01T08:00:00Z', rate: -0.0002 }],
    maintenance_margin: [{ up_to: 50000, rate: 0.004 }, { rate: 0.01 }], liquidation_fee: 0.002,
  }
  for (const execution of [spot, perpetual, { ...perpetual, funding: { rate: 0.0001 }, maintenance_margin: 0.01 }, {}]) {
    const parsed = parseExecution(execution)
    expect(parseExecution(JSON.parse(JSON.stringify(executionToJson(parsed))))).toEqual(parsed)
    expect(executionToJson(parsed)).toMatchObject(execution)
  }
})

describe('sweep specs', () => {
  test('the order of the space survives a store that sorts keys', () => {
    const spec = parseSweepSpec(sweep)
    expect(spec.space.map((axis) => axis.name)).toEqual(['slow', 'fast'])
    const json = specToJson(spec)
    const { space, ...rest } = json
    const sorted = { ...rest, space: Object.fromEntries(Object.entries(space as object).sort(([a], [b]) => (a < b ? -1 : 1))) }
    expect(parseSweepSpec(sorted)).toEqual(spec)
    expect(hashInput(parseSweepSpec(sorted))).toBe(hashInput(spec))
    expect(hashInput(parseSweepSpec({ ...sweep, space_order: ['fast', 'slow'] }))).not.toBe(hashInput(spec))
  })

  test.each<[string, unknown, string, string]>([
    ['a bare list as an axis', { file: 'x.csv', strategy: { name: 'a' }, space: { fast: [5, 10] } }, 'SPEC_INVALID', '{"choices": [5, 10, 20]}'],
    ['no space', { file: 'x.csv', strategy: { name: 'a' } }, 'SPEC_INVALID', 'space is missing'],
    ['an empty space', { ...sweep, space: {} }, 'SPACE_EMPTY', 'no trial to run'],
    ['no choices', { ...sweep, space: { fast: { choices: [] } } }, 'SPACE_EMPTY', 'empty list'],
    ['a range backwards', { ...sweep, space: { fast: { min: 5, max: 2 } } }, 'SPACE_EMPTY', 'min 5 is above max 2'],
    ['a choice twice', { ...sweep, space: { fast: { choices: [1, 1] } } }, 'SPEC_INVALID', 'twice'],
    ['a step of 0', { ...sweep, space: { fast: { min: 1, max: 2, step: 0 } } }, 'SPEC_INVALID', 'above 0'],
    ['a missing end', { ...sweep, space: { fast: { min: 1 } } }, 'SPEC_INVALID', 'space.fast.max is missing'],
    ['an unknown key of a range', { ...sweep, space: { fast: { min: 1, max: 2, stop: 3 } } }, 'SPEC_INVALID', 'did you mean "step"'],
    ['log', { ...sweep, space: { fast: { min: 1, max: 2, log: true } } }, 'NOT_SUPPORTED', 'space.fast.log'],
    ['another method', { ...sweep, method: 'tpe' }, 'NOT_SUPPORTED', 'method "tpe"'],
    ['no method', { ...sweep, method: 'gird' }, 'SPEC_INVALID', 'must be one of grid.'],
    ['an unknown key, with a list of what there is', { ...sweep, trails: 5 }, 'SPEC_INVALID', 'top, objective, method.'],
    ['an unknown key of an axis', { ...sweep, space: { fast: { min: 1, max: 2, lgo: true } } }, 'SPEC_INVALID', 'Known here: min, max, step, choices.'],
    ['trials of a grid', { ...sweep, trials: 100 }, 'SPEC_INVALID', 'no meaning with method "grid"'],
    ['a pruner', { ...sweep, pruner: 'median' }, 'NOT_SUPPORTED', 'pruner "median"'],
    ['walk-forward', { ...sweep, walk_forward: { folds: 3 } }, 'NOT_SUPPORTED', 'walk_forward'],
    ['several objectives', { ...sweep, objective: ['a', 'b'] }, 'NOT_SUPPORTED', 'name one metric'],
    ['an unknown objective', { ...sweep, objective: 'sharp_ratio' }, 'SPEC_INVALID', 'did you mean "sharpe_ratio"'],
    ['a holdout of 1', { ...sweep, holdout: 1 }, 'SPEC_INVALID', 'must be below 1'],
    ['a wrong order', { ...sweep, space_order: ['fast'] }, 'SPEC_INVALID', 'slow, fast'],
    ['a top of 0', { ...sweep, top: 0 }, 'SPEC_INVALID', 'at least 1'],
  ])('refuses %s', (_name, json, code, part) => {
    const error = refusal(() => parseSweepSpec(json))
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(part)])
  })
})

describe('strategies and their parameters', () => {
  const smaCross = builtinStrategy('sma-cross')

  test('defaults are filled in, steps are not enforced', () => {
    const stepped = defineStrategy({ name: 'x', params: { even: { min: 2, max: 10, step: 2, default: 4 }, width: { min: 1, max: 5, step: 0.5, default: 2 }, free: { min: 1, max: 5, default: 2 } }, signals: () => ({}) })
    expect(checkParams(smaCross)).toEqual({ fast: 10, slow: 20 })
    expect(checkParams(stepped, { even: 5, width: 2.25, free: 2.5 })).toEqual({ even: 5, width: 2.25, free: 2.5 })
    expect(describeStrategy(smaCross)).toEqual({
      name: 'sma-cross',
      params: { fast: { min: 2, max: 200, step: 1, default: 10 }, slow: { ...smaCross.params.slow } },
    })
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['out of range', { fast: 1 }, 'Parameter "fast" of sma-cross is 1, outside its range 2 to 200'],
    ['unknown', { fats: 5 }, 'did you mean "fast"'],
    ['no number', { slow: null }, `is null, but must be a number from 3 to ${smaCross.params.slow?.max}`],
    ['no whole number', { fast: 12.5 }, 'Parameter "fast" of sma-cross is 12.5, but must be a whole number from 2 to 200'],
    ['the constraint', { fast: 30, slow: 20 }, 'refuses fast 30, slow 20: its constraint "fast < slow" does not hold'],
  ])('refuses %s', (_name, params, part) => {
    const error = refusal(() => checkParams(smaCross, params))
    expect([error.code, error.message]).toEqual(['PARAM_INVALID', expect.stringContaining(part)])
  })

  test('an unknown name lists what exists', () => {
    expect(refusal(() => builtinStrategy('sma-crss'))).toMatchObject({ code: 'STRATEGY_UNKNOWN', message: expect.stringContaining('did you mean "sma-cross"') as unknown })
  })

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'is an object with name'],
    ['no name', { params: {}, signals: () => ({}) }, 'Name must be a text'],
    ['no signals', { name: 'x', params: {} }, 'needs signals'],
    ['no params', { name: 'x', signals: () => ({}) }, 'Params of "x"'],
    ['a misspelt key', { name: 'x', params: {}, signals: () => ({}), constrain: 1 }, 'unknown key "constrain"'],
    ['a range without default', { name: 'x', params: { a: { min: 1, max: 2 } }, signals: () => ({}) }, 'finite number for default'],
    ['a default outside', { name: 'x', params: { a: { min: 1, max: 2, default: 3 } }, signals: () => ({}) }, 'default 3 is outside 1..2'],
    ['a constraint that is a text', { name: 'x', params: {}, constraint: 'a < b', signals: () => ({}) }, 'must be a function'],
  ])('defineStrategy refuses %s', (_name, value, part) => {
    const error = refusal(() => defineStrategy(value as Parameters<typeof defineStrategy>[0]))
    expect([error.code, error.message]).toEqual(['STRATEGY_INVALID', expect.stringContaining(part)])
  })
})
