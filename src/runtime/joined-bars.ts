/**
 * The bars of a portfolio: those of its symbols one after the other in one frame, so that they are stored, admitted to
 * memory and handed to threads like any other bars. How many belong to each is pinned in the spec.
 */
import type { SymbolSpec } from '../engine/index.js'
import type { ComputePool } from '../tasks/compute-pool.js'
import { parsedBars } from './parsed-bars.js'
import type { ParsedBars } from './parsed-bars.js'

export async function joinedBars(symbols: readonly SymbolSpec[], parts: readonly ParsedBars[], pool: ComputePool): Promise<ParsedBars> {
  const reply = await pool.run({
    step: 'join_bars', priority: 'high', divisible: false, userCode: false,
    input: { symbols: symbols.map(({ symbol }) => symbol), warnings: parts.map(({ dataset }) => dataset.warnings) },
    shared: Object.fromEntries(parts.map(({ buffer }, k) => [`part:${k}`, buffer])),
  })
  return parsedBars(reply, {
    symbols: symbols.map((one, k) => ({ ...one, ...(one.file === undefined ? { exchange: parts[k]?.pinned['exchange'] } : {}) })),
    data_parts: parts.map(({ dataset }) => dataset.bars),
  })
}
