/**
 * A backtest that is asked for as a trial of a finished sweep: `{"from_sweep": ID, "trial": N}`, or `"rank": 1` for the best.
 * What the sweep pinned is taken as it is (bars and code by their hashes, execution, metrics), so neither file need be there
 * any more, and the metrics are those of the trial's row.
 */
import { SweepmillError } from '../base/errors.js'
import { isTaskId } from '../base/ids.js'
import { engineVersion } from '../base/engine-version.js'
import type { ArtifactStore, BarArchive } from '../tasks/bar-archive.js'
import type { BarStore } from '../tasks/bar-store.js'
import type { ComputePool } from '../tasks/compute-pool.js'
import type { TaskDesk, TaskRecord } from '../tasks/task-store.js'
import { TaskType } from '../tasks/task.js'

export interface TrialParts {
  readonly pool: ComputePool
  readonly desk: TaskDesk
  readonly bars: BarStore
  readonly archive: BarArchive
  readonly artifacts: ArtifactStore
}

export interface TrialTask {
  /** A pinned spec, in its canonical form. */
  readonly data: Readonly<Record<string, unknown>>
  readonly warnings: readonly string[]
  readonly sweepId: string
  readonly trial: number
}

type Json = Readonly<Record<string, unknown>>

export function namesTrial(data: Json): boolean {
  return data['from_sweep'] !== undefined || data['trial'] !== undefined || data['rank'] !== undefined
}

/** Throws SPEC_INVALID, SWEEP_NOT_FOUND, STATE_CONFLICT for a sweep that is not finished, NOT_RESOLVABLE where its bars or its code are gone. */
export async function trialTask(data: Json, parts: TrialParts): Promise<TrialTask> {
  const { from_sweep: sweepId, trial, rank, ...rest } = data
  const [other] = Object.keys(rest)
  if (typeof sweepId !== 'string') throw invalid('from_sweep', 'trial and rank belong to a sweep: add "from_sweep" with its id.')
  if (other !== undefined) throw invalid(other, `"${other}" has no place beside from_sweep: the trial brings its own bars, strategy and execution. Leave it out.`)
  if ((trial === undefined) === (rank === undefined)) throw invalid('trial', 'Name one trial of the sweep: its number as "trial", or its place as "rank" (1 is the best).')
  const sweep = await finishedSweep(sweepId, parts)
  const index = trial === undefined ? await atRank(sweep, whole('rank', rank, 1), parts) : whole('trial', trial, 0)
  const { spec, covers } = await specOf(sweep, index, parts)
  const made = (sweep.result as { engine_version?: string } | null)?.engine_version
  const warnings = [
    ...(covers === null ? [] : [covers]),
    ...(made === undefined || made === engineVersion ? [] : [`The sweep was run by engine ${made} and this is ${engineVersion}: metrics may differ from the trial's.`]),
  ]
  const known = Array.isArray(spec['data_warnings']) ? spec['data_warnings'] as readonly unknown[] : []
  return { data: warnings.length === 0 ? spec : { ...spec, data_warnings: [...known, ...warnings] }, warnings, sweepId: sweep.taskId, trial: index }
}

async function finishedSweep(sweepId: string, { desk }: TrialParts): Promise<TaskRecord> {
  const sweep = isTaskId(sweepId) ? await desk.get(sweepId.toLowerCase()) : null
  if (sweep === null) throw new SweepmillError('SWEEP_NOT_FOUND', `No sweep has the id ${sweepId.slice(0, 80)}; "sweepmill tasks list --type optimization_workflow" shows them.`, { details: { from_sweep: sweepId } })
  if (sweep.taskType !== TaskType.OPTIMIZATION) throw new SweepmillError('SWEEP_NOT_FOUND', `Task ${sweepId} is a ${sweep.taskType} and no sweep, so it has no trials.`, { details: { from_sweep: sweepId } })
  if (sweep.status !== 'completed') {
    throw new SweepmillError('STATE_CONFLICT', `Sweep ${sweepId} is ${sweep.status}; its trials can be repeated once it is completed.`, { details: { from_sweep: sweepId, status: sweep.status } })
  }
  return sweep
}

/** The ranking holds as many as the spec's `top`; the result as many of them as fit. */
async function atRank({ taskId, result }: TaskRecord, rank: number, { artifacts }: TrialParts): Promise<number> {
  const bytes = await artifacts.get(taskId, 'ranking')
  const { top = [] } = (bytes === null ? result ?? {} : JSON.parse(new TextDecoder().decode(bytes))) as { top?: readonly { trial: number }[] }
  const found = top[rank - 1]
  if (found !== undefined) return found.trial
  throw invalid('rank', top.length === 0 ? 'No trial of this sweep has a rank, because none has a value of the objective; name one by its number, as "trial".'
    : `rank is ${rank}, but the sweep kept its best ${top.length}; name another by its number, as "trial".`)
}

async function specOf(sweep: TaskRecord, trial: number, { pool, bars, archive }: TrialParts): Promise<{ spec: Json; covers: string | null }> {
  const { data } = sweep
  const hash = data['strategy_hash']
  const code = typeof hash === 'string' ? await archive.loadSource(hash) : null
  if (typeof hash === 'string' && code === null) {
    throw new SweepmillError('NOT_RESOLVABLE', `The strategy of sweep ${sweep.taskId} is not in the store any more, so its trials cannot be repeated.`, { details: { strategy_hash: hash } })
  }
  const lease = await bars.acquire(String(data['data_hash']))
  try {
    const reply = await pool.run({
      step: 'trial_spec', input: { spec: data, trial }, shared: { bars: lease.buffer }, ...(code === null ? {} : { bytes: { code } }), priority: 'high', divisible: false, userCode: code !== null,
    })
    return JSON.parse(reply.json) as { spec: Json; covers: string | null }
  } finally {
    lease.release()
  }
}

function whole(key: string, value: unknown, least: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
  throw invalid(key, `${key} is ${JSON.stringify(value)?.slice(0, 60) ?? 'nothing'}, but must be a whole number from ${least}.`)
}

function invalid(path: string, message: string): SweepmillError {
  return new SweepmillError('SPEC_INVALID', message, { details: { path } })
}
