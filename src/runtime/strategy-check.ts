/** Checks a strategy on bars of a file: everything in pool threads, no service. */
import { basename } from 'node:path'
import type { StrategyCheck } from '../engine/index.js'
import { findFile } from './data-files.js'
import { parsedBars } from './parsed-bars.js'
import { run, runStrategy, strategyFile } from './submission.js'
import type { PrepareOptions } from './submission.js'

export interface StrategyCheckRequest {
  /** A built-in strategy, one of STRATEGY_DIR, or a file. */
  readonly strategy: string
  readonly params: Readonly<Record<string, unknown>>
  readonly file: string
}

/** Some hundred runs; one that loops for ever must end. */
const LIMIT_MS = 300_000

/** Throws FILE_NOT_FOUND, STRATEGY_UNKNOWN, PARAM_INVALID, STRATEGY_TIMEOUT and what is wrong with the data; faults of the strategy are findings. */
export async function checkStrategy({ strategy, params, file }: StrategyCheckRequest, options: PrepareOptions): Promise<StrategyCheck> {
  const own = strategyFile(strategy, { roots: null }, options.strategyDir)
  const named = own === null ? { name: strategy } : { file: own }
  // An unknown name, or a file that loops while it loads, is told before the bars are read; other faults of a file are findings.
  const described = await runStrategy(options, 'describe_strategy', { ...named, params }, null).then(() => null, (error: unknown) => error)
  if (described !== null && !isFinding(described)) throw described
  const bars = parsedBars(await run(options, 'parse_bars', { file: findFile(file, null, 'The data file'), source: basename(file) }))
  const shared = { bars: bars.buffer }
  const input = { ...named, params }
  // One run by itself shows an endless loop soon.
  const tried = await runStrategy(options, 'check_strategy', { ...input, once: true }, null, shared, LIMIT_MS / 10)
  const once = JSON.parse(tried.json) as StrategyCheck
  if (!once.passed) return once
  return JSON.parse((await runStrategy(options, 'check_strategy', input, null, shared, LIMIT_MS)).json) as StrategyCheck
}

function isFinding(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'STRATEGY_INVALID'
}
