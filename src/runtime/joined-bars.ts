/**
 * Several series for one task, one after the other in one frame, so that they are stored, admitted to memory and handed
 * to threads like any other bars: the symbols of a portfolio, or bars and finer ones. How many belong to each is pinned.
 */
import type { SymbolSpec } from '../engine/index.js'
import type { ComputePool } from '../tasks/compute-pool.js'
import { parsedBars } from './parsed-bars.js'
import type { ParsedBars } from './parsed-bars.js'

export function joinedBars(symbols: readonly SymbolSpec[], parts: readonly ParsedBars[], pool: ComputePool): Promise<ParsedBars> {
  return join(symbols.map(({ symbol }) => symbol), parts, pool, {
    symbols: symbols.map((one, k) => ({ ...one, ...(one.file === undefined ? { exchange: parts[k]?.pinned['exchange'] } : {}) })),
  })
}

/** Bars with those that say what happened inside of them. */
export function withFiner(bars: ParsedBars, finer: ParsedBars, pool: ComputePool): Promise<ParsedBars> {
  return join([bars.dataset.source, `finer ${finer.dataset.source}`], [bars, finer], pool, bars.pinned)
}

async function join(names: readonly string[], parts: readonly ParsedBars[], pool: ComputePool, pinned: ParsedBars['pinned']): Promise<ParsedBars> {
  const reply = await pool.run({
    step: 'join_bars', priority: 'high', divisible: false, userCode: false,
    input: { symbols: names, warnings: parts.map(({ dataset }) => dataset.warnings) },
    shared: Object.fromEntries(parts.map(({ buffer }, k) => [`part:${k}`, buffer])),
  })
  return parsedBars(reply, { ...pinned, data_parts: parts.map(({ dataset }) => dataset.bars) })
}
