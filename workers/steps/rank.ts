/**
 * Ranking a finished sweep: one pass over its rows in index order, a page at a time over a port, in bounded memory.
 * `result_hash` is SHA-256 over the rows (index, parameters, metrics as little-endian doubles) of all trials.
 */
import { createHash } from 'node:crypto'
import { engineVersion } from '../../src/base/engine-version.js'
import { SweepmillError } from '../../src/base/errors.js'
import { decodeTrialRows, emptySpace, formatIsoTime, hashInput, parseSweepSpec, layoutSweep, prepareBars, splitBar, SweepRanker } from '../../src/engine/index.js'
import { keptArtifacts } from '../artifact-limit.js'
import { eachPage } from '../pages.js'
import { perform } from '../perform.js'
import { barsOf, utf8 } from '../step.js'
import type { Step } from '../step.js'
import { strategyShell } from '../strategy-shell.js'
import { warningsOf } from './backtest.js'

/** {spec, reused_chunks, …}, bars and a port → the sweep's result, its ranking and the best trial in full. */
export const rankSweep: Step = async (context) => {
  const spec = parseSweepSpec(context.input['spec'])
  const specHash = createHash('sha256').update(hashInput(spec)).digest('hex')
  const bars = barsOf(context)
  const strategy = await strategyShell(context)
  const plan = layoutSweep(spec, strategy)
  const ranker = new SweepRanker(plan, spec)
  const hash = createHash('sha256')
  let last = -1
  await eachPage(context, (bytes) => {
    const rows = decodeTrialRows(bytes)
    for (let k = 0; k < rows.count; k += 1) {
      const index = rows.rows[k * rows.width] ?? Number.NaN
      if (!(index > last)) throw new SweepmillError('INVARIANT', `Trial ${index} follows trial ${last}: rows are missing or doubled.`)
      last = index
    }
    const used = rows.rows.subarray(0, rows.count * rows.width)
    hash.update(new Uint8Array(used.buffer, used.byteOffset, used.byteLength))
    ranker.add(rows)
  })
  const ranking = ranker.finish()
  // Of a grid whose first millions of points are all excluded only the sweep can tell.
  if (ranking.trials === 0) throw emptySpace(plan, spec, strategy)
  const finished = await perform(context, 'finish_sweep', { spec: context.input['spec'], best: ranking.top.map(({ params }) => params) })
  const { held_out: heldOut, summary: full } = finished.json as { held_out: readonly unknown[]; summary: Readonly<Record<string, unknown>> | null }
  const top = ranking.top.map((trial, k) => ({ ...trial, ...(spec.holdout === undefined ? {} : { held_out: heldOut[k] ?? null }) }))
  const prepared = prepareBars(bars, spec.bars)
  const split = splitBar(prepared.bars.length, spec.holdout)
  const [best] = top
  const { close, time } = prepared.bars
  const hold = (from: number, to: number): number => ((close[to - 1] ?? 0) / (close[from] ?? 1) - 1) * 100
  const kept = keptArtifacts(full === null ? {} : { equity: finished.bytes?.['equity'] ?? new Uint8Array(), trades: finished.bytes?.['trades'] ?? new Uint8Array() })
  const result = {
    trials: ranking.trials, reused_chunks: context.input['reused_chunks'] ?? 0, result_hash: hash.digest('hex'),
    objective: spec.objective, direction: spec.direction, best: best ?? null, top,
    ...(spec.holdout === undefined ? {} : { holdout: { share: spec.holdout, first_bar: split, first_time: formatIsoTime(time[split] ?? 0) } }),
    buy_and_hold: { in_sample: hold(0, split), held_out: split < prepared.bars.length ? hold(split, prepared.bars.length) : null },
    bars: prepared.bars.length, data_hash: bars.hash, spec_hash: specHash, engine_version: engineVersion, seed: spec.seed,
    warnings: [...new Set([...spec.dataWarnings ?? bars.meta.warnings, ...prepared.warnings, ...warningsOf(full ?? {}), ...kept.warnings])],
  }
  return {
    json: result,
    bytes: {
      ranking: utf8(JSON.stringify({ ...result, heat_map: ranking.heatMap, best_summary: full })),
      ...kept.bytes,
    },
  }
}
