/**
 * Specs back to JSON: the canonical flat snake_case form, and the text whose SHA-256 identifies a spec.
 *
 * Keys have one fixed order and parameters are sorted, so two specs that mean the same give the same text,
 * also after a jsonb column has reordered them. Where `data_hash` pins the bars' content, the text leaves out
 * where they lie: the same bars under another path are the same spec.
 */
import type { BacktestSpec, BarsSpec } from './backtest-spec.js'
import { parseBacktestSpec } from './backtest-spec.js'
import { executionToJson } from './execution-spec.js'
import { refuseUnknownKeys, requireObject, specInvalid } from './refuse.js'
import type { ReadingInput } from './spec-input.js'
import type { SpaceAxisSpec, SweepSpec } from './sweep-spec.js'
import { parseSweepSpec } from './sweep-spec.js'

export function specToJson(spec: BacktestSpec | SweepSpec): Record<string, unknown> {
  return {
    ...barsToJson(spec.bars),
    ...(spec.dataHash === undefined ? {} : { data_hash: spec.dataHash }),
    ...(spec.dataWarnings === undefined ? {} : { data_warnings: [...spec.dataWarnings] }),
    ...('strategyId' in spec.strategy ? { strategy_id: spec.strategy.strategyId } : { strategy: { name: spec.strategy.name, params: sorted(spec.strategy.params) } }),
    ...(spec.paramsOrder === undefined ? {} : { params_order: [...spec.paramsOrder] }),
    ...(spec.strategyHash === undefined ? {} : { strategy_hash: spec.strategyHash }),
    execution: executionToJson(spec.execution),
    metrics: {
      ...(spec.metrics.periodsPerYear === undefined ? {} : { periods_per_year: spec.metrics.periodsPerYear }),
      risk_free: spec.metrics.riskFree,
    },
    ...('space' in spec ? sweepToJson(spec) : {}),
  }
}

export function hashInput(spec: BacktestSpec | SweepSpec): string {
  const { file: _file, reading: _reading, symbol: _symbol, timeframe: _timeframe, exchange: _exchange, symbols, finer: _finer, benchmark: _benchmark, ...content } = spec.bars
  const named = symbols === undefined ? content : { ...content, symbols: symbols.map(({ symbol }) => ({ symbol })) }
  const { dataWarnings: _warnings, paramsOrder: _order, ...rest } = spec
  return JSON.stringify(specToJson(spec.dataHash === undefined ? rest : { ...rest, bars: named }))
}

const PARTS = ['bars', 'strategy', 'execution', 'metrics'] as const

/**
 * A spec that a program made or changed itself (`{ ...spec, execution: { … } }`, where a compiler looks for no typos)
 * has the parser's keys and no others: what this module would not write, nothing would act on. Throws SPEC_INVALID, and
 * what the parser throws for a bad value. Cost: a parse of the spec.
 */
export function requireSpec(spec: BacktestSpec | SweepSpec): void {
  const given = requireObject(spec, '')
  for (const part of PARTS) {
    if (given[part] === undefined) throw specInvalid(part, `The spec has no ${part}. A spec as it stands in a file goes through parseBacktestSpec or parseSweepSpec first.`)
    requireObject(given[part], part)
  }
  requireObject((given['execution'] as Record<string, unknown>)['sizing'], 'execution.sizing')
  const json = specToJson(spec)
  const parsed = 'space' in spec ? parseSweepSpec(json, { barsGiven: true }) : parseBacktestSpec(json, { barsGiven: true })
  refuseExtraKeys(given, parsed as unknown as Record<string, unknown>, '')
}

function refuseExtraKeys(given: Record<string, unknown>, parsed: Record<string, unknown>, path: string): void {
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  refuseUnknownKeys(defined, Object.keys(parsed), path)
  for (const [key, value] of Object.entries(defined)) {
    const known = parsed[key]
    if (typeof value !== 'object' || value === null || typeof known !== 'object' || known === null || ArrayBuffer.isView(value)) continue
    refuseExtraKeys(value as Record<string, unknown>, known as Record<string, unknown>, path === '' ? key : `${path}.${key}`)
  }
}

function barsToJson(bars: BarsSpec): Record<string, unknown> {
  const { file, reading, symbol, symbols, finer, benchmark, parts, timeframe, exchange, startDate, endDate, adjust } = bars
  return {
    ...(symbols === undefined ? {} : { symbols: symbols.map((one) => ({ symbol: one.symbol, ...(one.file === undefined ? {} : { file: one.file }), ...(one.reading === undefined ? {} : { reading: readingToJson(one.reading) }), ...(one.exchange === undefined ? {} : { exchange: one.exchange }) })) }),
    ...(finer === undefined ? {} : { finer: 'reading' in finer && finer.reading !== undefined ? { ...finer, reading: readingToJson(finer.reading) } : { ...finer } }),
    ...(benchmark === undefined ? {} : { benchmark: 'reading' in benchmark && benchmark.reading !== undefined ? { ...benchmark, reading: readingToJson(benchmark.reading) } : { ...benchmark } }),
    ...(parts === undefined ? {} : { data_parts: [...parts] }),
    ...(file === undefined ? {} : { file }),
    ...(reading === undefined ? {} : { reading: readingToJson(reading) }),
    ...(symbol === undefined ? {} : { symbol }),
    ...(timeframe === undefined ? {} : { timeframe }),
    ...(exchange === undefined ? {} : { exchange }),
    ...(startDate === undefined ? {} : { start_date: startDate }),
    ...(endDate === undefined ? {} : { end_date: endDate }),
    ...(adjust === undefined ? {} : { adjust }),
  }
}

function sweepToJson(spec: SweepSpec): Record<string, unknown> {
  return {
    space: Object.fromEntries(spec.space.map((axis) => [axis.name, axisToJson(axis)])),
    space_order: spec.space.map((axis) => axis.name),
    ...(spec.constraint === undefined ? {} : { constraint: spec.constraint }),
    method: spec.method,
    objective: spec.objective,
    direction: spec.direction,
    ...(spec.holdout === undefined ? {} : { holdout: spec.holdout }),
    seed: spec.seed,
    top: spec.top,
  }
}

function axisToJson(axis: SpaceAxisSpec): Record<string, unknown> {
  if ('choices' in axis) return { choices: [...axis.choices] }
  return { min: axis.min, max: axis.max, ...(axis.step === undefined ? {} : { step: axis.step }) }
}

function sorted(params: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Keys in one order; values as they were written. */
function readingToJson({ ticker, date_format: format, columns, decimal, skip_bad: skipBad }: ReadingInput): Record<string, unknown> {
  return {
    ...(ticker === undefined ? {} : { ticker }), ...(format === undefined ? {} : { date_format: format }), ...(columns === undefined ? {} : { columns }),
    ...(decimal === undefined ? {} : { decimal }), ...(skipBad === undefined ? {} : { skip_bad: skipBad }),
  }
}
