/**
 * The engine alone: pure, synchronous compute without a server, a file or a thread. It is also what
 * `import … from 'sweepmill'` means inside a strategy file. Everything public is named here.
 */
export { formatIsoTime, parseIsoTime } from './calendar/iso-time.js'
export { ta } from './indicators/indicators.js'
export type { Indicators } from './indicators/indicators.js'
export { METRIC_UNITS, SWEEP_METRICS } from './metrics/sweep-metrics.js'
export { equityCsv, tradesCsv } from './simulate/backtest-csv.js'
export { prepareBars } from './simulate/prepare-bars.js'
export { runBacktest } from './simulate/run-backtest.js'
export type { BacktestResult, BarWindow, RunIdentity } from './simulate/run-backtest.js'
export type { ExitReason, Trade, TradeSide } from './simulate/trade-log.js'
export { parseBacktestSpec } from './specs/backtest-spec.js'
export type { BacktestSpec, BarsSpec, MetricsSpec, ParseOptions, StrategySpec } from './specs/backtest-spec.js'
export type { ExecutionSpec, SizingSpec } from './specs/execution-spec.js'
export { hashInput, specToJson } from './specs/spec-json.js'
export { parseSweepSpec } from './specs/sweep-spec.js'
export type { SpaceAxisSpec, SweepSpec } from './specs/sweep-spec.js'
export { builtinStrategies, builtinStrategy } from './strategies/builtin-strategies.js'
export { checkParams } from './strategies/check-params.js'
export { defineStrategy, describeStrategy } from './strategies/strategy.js'
export type { Mask, Masks, ParamRange, Params, Strategy, StrategyDefinition, StrategyDescription } from './strategies/strategy.js'
