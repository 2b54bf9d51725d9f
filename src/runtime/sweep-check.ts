/**
 * The check of a sweep before there is a task. It looks for the first trial, which a constraint can hide behind millions of
 * points; so it is done in parts, between which other work of the same priority has its turn.
 */
import type { Clock } from '../base/clock.js'
import type { ComputeReply } from '../tasks/compute-pool.js'

/** How long a part holds its thread at most. */
const PART_MS = 50
/** Then the sweep's word is taken: it fails if there is no trial. */
const SEARCH_MS = 10_000

export interface CheckedSpec {
  readonly specHash: string
  /** The first trial of a sweep; null where it was not found, and for a backtest. */
  readonly first: number | null
}

export async function checkInParts(check: (part: { readonly from: number; readonly most_ms: number }) => Promise<ComputeReply>, clock: Clock): Promise<CheckedSpec> {
  const endMs = clock.monotonicMs() + SEARCH_MS
  for (let from = 0; ;) {
    const reply = await check({ from, most_ms: PART_MS })
    const { spec_hash: specHash, first = null, next = null } = JSON.parse(reply.json) as { spec_hash: string; first?: number | null; next?: number | null }
    if (next === null || clock.monotonicMs() >= endMs) return { specHash, first }
    from = next
  }
}
