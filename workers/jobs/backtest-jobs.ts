/** Strategies and single backtests. */
import { checkParams, describeStrategy, frameParts, mergeTimes, portfolioIndex, prepareBars, recordIndicators, runBacktest, runBenchmark, runPortfolio, splitParts, tradesCsv } from '../../src/engine/index.js'
import type { BacktestResult, BacktestSpec, RunIdentity, Strategy } from '../../src/engine/index.js'
import type { ChartGrid } from '../../src/engine/report/chart-grid.js'
import { backtestSpec, specHash } from './job-spec.js'
import type { Job, JobBars } from './job.js'

/** {params} → the strategy's description, and the parameters checked and filled in where some were given. */
export const describe: Job = ({ input, strategy }) => {
  const { params } = input as { params?: Record<string, unknown> }
  const described = strategy()
  return { json: { ...describeStrategy(described), ...(params === undefined ? {} : { checked: checkParams(described, params) }) } }
}

/** spec and bars → {spec_hash}; refuses parameters that the strategy does not take, and dates that leave no bars. */
export const checkBacktest: Job = (call) => {
  const spec = backtestSpec(call)
  checkParams(call.strategy(), 'params' in spec.strategy ? spec.strategy.params : {})
  const parts = frameParts(call.bars(), spec)
  const prepared = parts.slice(0, spec.bars.symbols?.length ?? 1).map((part) => prepareBars(part, spec.bars).bars)
  if (spec.bars.benchmark !== undefined) runBenchmark(prepared.length === 1 ? prepared[0]!.time : mergeTimes(prepared).time, spec, parts.at(-1))
  return { json: { spec_hash: specHash(call, spec) } }
}

/** spec and bars → nothing: runs the strategy once, so that one that throws is refused before it becomes a task. */
export const tryBacktest: Job = (call) => {
  const spec = backtestSpec(call)
  runOne(call.bars(), call.strategy(), spec)
  return { json: {} }
}

/** spec and bars → the result, and trades and equity as bytes. */
export const backtest: Job = (call) => {
  const spec = backtestSpec(call)
  const bars = call.bars()
  const result = runOne(bars, call.strategy(), spec, { dataHash: bars.hash, specHash: specHash(call, spec), engineVersion: call.surroundings.engineVersion })
  return { json: result.summary, texts: { trades: tradesCsv(result) }, bytes: { equity: equityBytes(result) } }
}

/** spec, bars and {grid} → the lines that the strategy looked at. */
export const indicators: Job = (call) => {
  const spec = backtestSpec(call)
  const strategy = call.strategy()
  const bars = call.bars()
  const prepared = prepareBars(frameParts(bars, spec)[0] ?? bars, spec.bars).bars
  const params = checkParams(strategy, 'params' in spec.strategy ? spec.strategy.params : {})
  return { json: recordIndicators(strategy, prepared, params, call.input['grid'] as ChartGrid) }
}

/** spec and bars of a portfolio → what buying and holding all of it is measured by. */
export const portfolioIndexOf: Job = (call) => {
  const spec = backtestSpec(call)
  const { buffer, byteOffset, byteLength } = portfolioIndex(splitParts(call.bars(), spec), call.strategy(), spec)
  return { json: {}, bytes: { close: new Uint8Array(buffer, byteOffset, byteLength) } }
}

function runOne(bars: JobBars, strategy: Strategy, spec: BacktestSpec, identity?: RunIdentity): BacktestResult {
  const parts = frameParts(bars, spec)
  const benchmark = spec.bars.benchmark === undefined || parts.length < 2 ? undefined : parts.at(-1)
  if (spec.bars.symbols !== undefined) return runPortfolio(splitParts(bars, spec), strategy, spec, identity, benchmark)
  return runBacktest(parts[0] ?? bars, strategy, spec, identity, undefined, spec.bars.finer === undefined ? undefined : parts[1], benchmark)
}

/** Pairs of (time, equity) as little-endian doubles. */
export function equityBytes({ time, equity }: Pick<BacktestResult, 'time' | 'equity'>): Uint8Array {
  const pairs = new Float64Array(time.length * 2)
  for (let i = 0; i < time.length; i += 1) {
    pairs[2 * i] = time[i]!
    pairs[2 * i + 1] = equity[i]!
  }
  return new Uint8Array(pairs.buffer)
}
