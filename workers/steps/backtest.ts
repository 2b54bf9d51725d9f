/** Strategies and single backtests. */
import { engineVersion } from '../../src/base/engine-version.js'
import { checkParams, describeStrategy, frameParts, mergeTimes, prepareBars, runBacktest, runBenchmark, runPortfolio, splitParts, tradesCsv } from '../../src/engine/index.js'
import type { BacktestResult, BacktestSpec, RunIdentity, Strategy } from '../../src/engine/index.js'
import type { Bars } from '../../src/market/layout.js'
import { keptArtifacts } from '../artifact-limit.js'
import { loadBacktest } from '../spec.js'
import { barsOf, utf8 } from '../step.js'
import type { Step } from '../step.js'
import { compiledFile, hashSource, loadStrategy, strategyOf } from '../strategy-source.js'

/** {name} of a built-in strategy, {file} of the user's, or payload code of a stored one → its description, the compiled code of a file, and {params} checked and filled in. */
export const describe: Step = async ({ input, bytes }) => {
  const { name, file, params } = input as { name?: string; file?: string; params?: Record<string, unknown> }
  const described = (strategy: Strategy): Record<string, unknown> =>
    ({ ...describeStrategy(strategy), ...(params === undefined ? {} : { checked: checkParams(strategy, params) }) })
  if (file === undefined) return { json: described(await strategyOf(name ?? '', bytes['code'])) }
  const code = await compiledFile(file)
  const strategy = await loadStrategy(code)
  return { json: { ...described(strategy), source_hash: hashSource(code) }, bytes: { code } }
}

/** {spec} → {spec_hash}; refuses parameters that the strategy does not take, and dates that leave no bars. */
export const checkBacktest: Step = async (context) => {
  const { spec, specHash, strategy } = await loadBacktest(context)
  checkParams(strategy, 'params' in spec.strategy ? spec.strategy.params : {})
  const bars = barsOf(context)
  const parts = frameParts(bars, spec)
  const prepared = parts.slice(0, spec.bars.symbols?.length ?? 1).map((part) => prepareBars(part, spec.bars).bars)
  if (spec.bars.benchmark !== undefined) runBenchmark(prepared.length === 1 ? prepared[0]!.time : mergeTimes(prepared).time, spec, parts.at(-1))
  return { json: { spec_hash: specHash } }
}

/** {spec} and bars → nothing: runs the strategy once, so that one that throws is refused before it becomes a task. */
export const tryBacktest: Step = async (context) => {
  const { spec, strategy } = await loadBacktest(context)
  runOne(barsOf(context), strategy, spec)
  return { json: {} }
}

function runOne(bars: Bars, strategy: Strategy, spec: BacktestSpec, identity?: RunIdentity): BacktestResult {
  const parts = frameParts(bars, spec)
  const benchmark = spec.bars.benchmark === undefined || parts.length < 2 ? undefined : parts.at(-1)
  if (spec.bars.symbols !== undefined) return runPortfolio(splitParts(bars, spec), strategy, spec, identity, benchmark)
  return runBacktest(parts[0] ?? bars, strategy, spec, identity, undefined, spec.bars.finer === undefined ? undefined : parts[1], benchmark)
}

/** {spec} and bars → the result, and trades and equity as bytes. */
export const backtest: Step = async (context) => {
  const { spec, specHash, strategy } = await loadBacktest(context)
  const bars = barsOf(context)
  const result = runOne(bars, strategy, spec, { dataHash: bars.hash, specHash, engineVersion })
  const kept = keptArtifacts({ trades: utf8(tradesCsv(result)), equity: equityBytes(result) })
  return { json: { ...result.summary, warnings: [...result.summary['warnings'] as string[], ...kept.warnings] }, bytes: kept.bytes }
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

export function equityColumns(bytes: Uint8Array): { time: Float64Array; equity: Float64Array } {
  const pairs = new Float64Array(new Uint8Array(bytes).buffer)
  const length = pairs.length >> 1
  const time = new Float64Array(length)
  const equity = new Float64Array(length)
  for (let i = 0; i < length; i += 1) {
    time[i] = pairs[2 * i]!
    equity[i] = pairs[2 * i + 1]!
  }
  return { time, equity }
}
