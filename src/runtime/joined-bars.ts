/**
 * Several series for one task, one after the other in one frame, so that they are stored, admitted to memory and handed
 * to threads like any other bars: the symbols of a portfolio, or bars and finer ones. How many belong to each is pinned.
 */
import type { SymbolSpec } from '../engine/index.js'
import type { ComputePool } from '../tasks/compute-pool.js'
import { parsedBars } from './parsed-bars.js'
import type { ParsedBars } from './parsed-bars.js'

/** `benchmark`, where there is one, comes last. */
export function joinedBars(symbols: readonly SymbolSpec[], parts: readonly ParsedBars[], benchmark: ParsedBars | null, pool: ComputePool): Promise<ParsedBars> {
  return join([...symbols.map(({ symbol }) => symbol), ...(benchmark === null ? [] : [`benchmark ${benchmark.dataset.source}`])], benchmark === null ? parts : [...parts, benchmark], pool, {
    symbols: symbols.map((one, k) => ({ ...one, ...(one.file === undefined ? { exchange: parts[k]?.pinned['exchange'] } : {}) })),
  })
}

/** Bars with those that say what happened inside of them, and those that they are compared with; null for none. */
export async function withCompanions(bars: ParsedBars, finer: ParsedBars | null, benchmark: ParsedBars | null, pool: ComputePool): Promise<ParsedBars> {
  const companions = [{ role: 'finer', part: finer }, { role: 'benchmark', part: benchmark }].flatMap(({ role, part }) => (part === null ? [] : [{ role, part }]))
  if (companions.length === 0) return bars
  return join([bars.dataset.source, ...companions.map(({ role, part }) => `${role} ${part.dataset.source}`)], [bars, ...companions.map(({ part }) => part)], pool, bars.pinned)
}

async function join(names: readonly string[], parts: readonly ParsedBars[], pool: ComputePool, pinned: ParsedBars['pinned']): Promise<ParsedBars> {
  const reply = await pool.run({
    step: 'join_bars', priority: 'high', divisible: false, userCode: false,
    input: { symbols: names, warnings: parts.map(({ dataset }) => dataset.warnings) },
    shared: Object.fromEntries(parts.map(({ buffer }, k) => [`part:${k}`, buffer])),
  })
  return parsedBars(reply, { ...pinned, data_parts: parts.map(({ dataset }) => dataset.bars) })
}
