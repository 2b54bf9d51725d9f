/**
 * Ranking a finished sweep: one pass over its rows in index order, a page at a time over a port, in bounded memory.
 * `result_hash` is SHA-256 over the rows (index, parameters, metrics as little-endian doubles) of all trials.
 */
import { createHash } from 'node:crypto'
import type { MessagePort } from 'node:worker_threads'
import { engineVersion } from '../../src/base/engine-version.js'
import { SweepmillError } from '../../src/base/errors.js'
import { decodeTrialRows, evaluateTrial, formatIsoTime, planSweep, prepareBars, repeated, runBacktest, splitBar, SweepRanker, tradesCsv, trialsCsvHeader, trialsCsvRows } from '../../src/engine/index.js'
import type { TrialRows } from '../../src/engine/index.js'
import { keptArtifacts } from '../artifact-limit.js'
import { loadSweep } from '../spec.js'
import { barsOf, stopped, utf8 } from '../step.js'
import type { Step, StepContext } from '../step.js'
import { equityBytes } from './backtest.js'

/** Asks for pages until the end. */
async function* pagesOf(port: MessagePort): AsyncGenerator<readonly Uint8Array[]> {
  for (;;) {
    const page = await new Promise<{ type: 'page'; rows: Uint8Array[] } | { type: 'end' }>((resolve, reject) => {
      port.once('message', resolve)
      port.once('close', () => reject(stopped()))
      port.postMessage({ type: 'next' })
    })
    port.removeAllListeners('close')
    if (page.type === 'end') return
    yield page.rows
  }
}

async function eachRows(context: StepContext, take: (rows: TrialRows) => void, afterPage: () => void = () => undefined): Promise<void> {
  const { port, pulse } = context
  if (port === null) throw new SweepmillError('INVARIANT', 'This step was called without a port.')
  try {
    let pages = 0
    for await (const page of pagesOf(port)) {
      for (const bytes of page) take(decodeTrialRows(bytes))
      afterPage()
      pages += 1
      if (pulse.beat(pages, pages + 1)) throw stopped()
    }
  } finally {
    port.close()
  }
}

/** {spec, reused_chunks, …}, bars and a port → the sweep's result, its ranking and the best trial in full. */
export const rankSweep: Step = async (context) => {
  const { spec, specHash, strategy } = await loadSweep(context)
  const bars = barsOf(context)
  const plan = planSweep(spec, strategy)
  const ranker = new SweepRanker(plan, spec)
  const hash = createHash('sha256')
  let last = -1
  await eachRows(context, (rows) => {
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
  const top = ranking.top.map((trial) => {
    const { heldOut } = evaluateTrial(bars, strategy, spec, trial.params)
    return { ...trial, ...(heldOut === null ? {} : { held_out: heldOut }) }
  })
  const prepared = prepareBars(bars, spec.bars)
  const split = splitBar(prepared.bars.length, spec.holdout)
  const [best] = top
  const full = best === undefined ? null : runBacktest(bars, strategy, repeated(spec, best.params), { dataHash: bars.hash, specHash, engineVersion })
  const { close, time } = prepared.bars
  const hold = (from: number, to: number): number => ((close[to - 1] ?? 0) / (close[from] ?? 1) - 1) * 100
  const kept = keptArtifacts(full === null ? {} : { equity: equityBytes(full), trades: utf8(tradesCsv(full)) })
  const result = {
    trials: ranking.trials, reused_chunks: context.input['reused_chunks'] ?? 0, result_hash: hash.digest('hex'),
    objective: spec.objective, direction: spec.direction, best: best ?? null, top,
    ...(spec.holdout === undefined ? {} : { holdout: { share: spec.holdout, first_bar: split, first_time: formatIsoTime(time[split] ?? 0) } }),
    buy_and_hold: { in_sample: hold(0, split), held_out: split < prepared.bars.length ? hold(split, prepared.bars.length) : null },
    bars: prepared.bars.length, data_hash: bars.hash, spec_hash: specHash, engine_version: engineVersion, seed: spec.seed,
    warnings: [...new Set([...spec.dataWarnings ?? bars.meta.warnings, ...prepared.warnings, ...(full?.summary['warnings'] as string[] | undefined ?? []), ...kept.warnings])],
  }
  return {
    json: result,
    bytes: {
      ranking: utf8(JSON.stringify({ ...result, heat_map: ranking.heatMap, best_summary: full?.summary ?? null })),
      ...kept.bytes,
    },
  }
}

/** {spec} and a port: pages of rows in, CSV text out over the same port. */
export const exportTrials: Step = async (context) => {
  const { spec, strategy } = await loadSweep(context)
  const plan = planSweep(spec, strategy)
  const { port } = context
  let text = trialsCsvHeader(plan)
  // Sent before the next page is asked for, so that all text is there when the pages end.
  const flush = (): void => {
    port?.postMessage({ type: 'csv', bytes: utf8(text) })
    text = ''
  }
  flush()
  await eachRows(context, (rows) => { text += trialsCsvRows(rows) }, flush)
  return { json: {} }
}
