/**
 * The error of a sweep whose rows are of another engine, and when it is delivered again. Nobody may be there who can go on
 * with it, so the pauses grow with the time that it waits; a worker of its engine asks for it at its start.
 */
import { SweepmillError } from '../base/errors.js'
import type { ErrorData } from '../base/errors.js'

/** A sweep with finished quanta, as one of another engine finds it. */
export interface ForeignSweep {
  readonly sweepId: string
  readonly engineVersion: string
  readonly quanta: number
  readonly finishedQuanta: number
  /** Somebody wants it stopped. */
  readonly isCancelled: boolean
  /** A worker of its engine is alive. */
  readonly engineAlive: boolean
  /** Since it was first handed back. */
  readonly waitedMs: number
}

const LEAST_PAUSE_MS = 2000
/** While a worker of its engine is alive, and may only be busy. */
const LONGEST_PAUSE_MS = 30_000
const LONGEST_PAUSE_ALONE_MS = 600_000

export function otherEngine(sweep: ForeignSweep, ownEngine: string): SweepmillError {
  const { sweepId, engineVersion, quanta, finishedQuanta, engineAlive, waitedMs } = sweep
  const againMs = Math.max(LEAST_PAUSE_MS, Math.min(engineAlive ? LONGEST_PAUSE_MS : LONGEST_PAUSE_ALONE_MS, waitedMs / 4))
  return new SweepmillError('NOT_RESOLVABLE',
    `The sweep was begun by engine ${engineVersion}, which computed ${finishedQuanta} of its ${quanta} parts; a worker of engine ${ownEngine} handed it back, because rows of two engines are not mixed. `
    + `It waits for a worker of its engine (${engineAlive ? 'one is alive' : 'none is alive'}); "sweepmill tasks retry ${sweepId} --start-over" computes it anew with the engine that picks it.`,
    { details: { engine: engineVersion, own_engine: ownEngine, engine_alive: engineAlive, again_ms: Math.round(againMs) } })
}

/** Null for any other error. */
export function pauseOf({ code, details }: ErrorData): number | null {
  const pause = code === 'NOT_RESOLVABLE' ? details?.['again_ms'] : undefined
  return typeof pause === 'number' ? pause : null
}
