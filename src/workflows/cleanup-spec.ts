/**
 * The spec of a cleanup: how many days each kind of thing is kept after it ended. Flat JSON; every key may be left out.
 * 0 keeps nothing that is not in use, null keeps for ever, a fraction is a part of a day.
 */
import { z } from 'zod'
import { parseOrRefuse, refuseUnknownKeys, requireObject } from '../engine/specs/refuse.js'
import type { RetentionCutoffs } from '../tasks/retention.js'

const DAY_MS = 86_400_000
const MAX_DAYS = 36_500
/**
 * A submission stores bars and code before its row: what was stored or found within the hour may be about to be named,
 * whatever the rule says.
 */
const UNNAMED_MS = 3_600_000
/** Nobody asks about a worker that ended a week ago. */
const WORKERS_MS = 7 * DAY_MS

const days = (preset: number): z.ZodDefault<z.ZodNullable<z.ZodNumber>> => {
  const what = 'must be a number of days, 0 or more, or null to keep it for ever'
  return z.number(what).min(0, what).max(MAX_DAYS, `must be at most ${MAX_DAYS}; write null to keep it for ever`).nullable().default(preset)
}

const schema = z.object({
  tasks_days: days(30),
  checkpoints_days: days(7),
  events_days: days(365),
  bars_days: days(90),
  chunks_days: days(30),
  dead_letters_days: days(90),
  dry_run: z.boolean('must be true or false').default(false),
})

/** The canonical form is the JSON itself: what the data column holds. */
export type CleanupSpec = z.infer<typeof schema>

export type CleanupDays = Exclude<keyof CleanupSpec, 'dry_run'>

export const CLEANUP_DAYS = Object.keys(schema.shape).filter((key) => key !== 'dry_run') as readonly CleanupDays[]

/** SPEC_INVALID names the key. */
export function parseCleanupSpec(json: unknown): CleanupSpec {
  const raw = requireObject(json, '')
  refuseUnknownKeys(raw, Object.keys(schema.shape), '')
  return parseOrRefuse(schema, raw, '')
}

/** What the days mean at one moment of the store's clock. */
export function cutoffsOf(spec: CleanupSpec, now: string): RetentionCutoffs {
  const nowMs = Date.parse(now)
  const before = (age: number | null, atLeastMs = 0): string | null =>
    (age === null ? null : new Date(nowMs - Math.max(age * DAY_MS, atLeastMs)).toISOString())
  return {
    tasks: before(spec.tasks_days), deadLetters: before(spec.dead_letters_days), chunks: before(spec.chunks_days),
    checkpoints: before(spec.checkpoints_days), events: before(spec.events_days),
    bars: before(spec.bars_days, UNNAMED_MS), unnamed: spec.bars_days === null ? null : before(0, UNNAMED_MS),
    workers: new Date(nowMs - WORKERS_MS).toISOString(),
  }
}
