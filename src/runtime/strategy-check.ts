/** Checks a strategy on bars of a file: everything in pool threads, no service. */
import { basename, parse } from 'node:path'
import type { StrategyCheck } from '../engine/index.js'
import type { Reading } from '../market/reading.js'
import { findFile } from './data-files.js'
import { inLanes } from '../workflows/in-lanes.js'
import { parsedBars } from './parsed-bars.js'
import { run, runStrategy, strategyFile } from './submission.js'
import type { PrepareOptions } from './submission.js'

export interface StrategyCheckRequest {
  /** A built-in strategy, one of STRATEGY_DIR, or a file. */
  readonly strategy: string
  readonly params: Readonly<Record<string, unknown>>
  /** One of bars; of a strategy that looks at several symbols together one each, in its order. */
  readonly files: readonly string[]
  readonly reading?: Reading
}

const AT_ONCE = 2
/** Some hundred runs; one that loops for ever must end. */
const LIMIT_MS = 300_000

/** Throws FILE_NOT_FOUND, STRATEGY_UNKNOWN, PARAM_INVALID, STRATEGY_TIMEOUT and what is wrong with the data; faults of the strategy are findings. */
export async function checkStrategy({ strategy, params, files, reading }: StrategyCheckRequest, options: PrepareOptions): Promise<StrategyCheck> {
  const own = strategyFile(strategy, { roots: null }, options.strategyDir)
  const named = own === null ? { name: strategy } : { file: own }
  // An unknown name, or a file that loops while it loads, is told before the bars are read; other faults of a file are findings.
  const described = await runStrategy(options, 'describe_strategy', { ...named, params }, null).then(() => null, (error: unknown) => error)
  if (described !== null && !isFinding(described)) throw described
  const parsed = await inLanes(files, AT_ONCE, async (file) => parsedBars(await run(options, 'parse_bars', { file: findFile(file, null, 'The data file'), source: basename(file), reading })))
  const shared = Object.fromEntries(parsed.map(({ buffer }, k) => [`bars:${k}`, buffer]))
  const input = { ...named, params, symbols: symbolsOf(files) }
  // One run by itself shows an endless loop soon.
  const tried = await runStrategy(options, 'check_strategy', { ...input, once: true }, null, shared, LIMIT_MS / 10)
  const once = JSON.parse(tried.json) as StrategyCheck
  const report = once.passed ? JSON.parse((await runStrategy(options, 'check_strategy', input, null, shared, LIMIT_MS)).json) as StrategyCheck : once
  return { ...report, warnings: [...parsed.flatMap(({ dataset }) => dataset.warnings), ...report.warnings] }
}

/** A file's name without its ending; with a number where two have the same. */
function symbolsOf(files: readonly string[]): string[] {
  const names = files.map((file) => parse(file).name)
  return names.map((name, k) => (names.indexOf(name) === names.lastIndexOf(name) ? name : `${name}-${k + 1}`))
}

function isFinding(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'STRATEGY_INVALID'
}
