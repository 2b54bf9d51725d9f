/**
 * The day of a bar, in one place: annualisation, months, sessions, gaps, repair and longer timeframes all ask here.
 *
 * A time says when a bar begins, or its session opens or closes, in UTC; the day that it stands for may be the next one.
 * Midnight in Tokyo is 15:00 UTC of the day before, and Sunday 22:00 UTC opens a Monday. The rule is found once from all
 * times: the times of day that bars begin at form an arc with a rest before it, and the arc belongs to the UTC day that it
 * begins on, or to the next one, whichever puts fewer bars on Saturdays and Sundays; bars of a day that are stamped at a close
 * after midnight UTC, from Tuesday to Saturday, to the one before. Days are cut in the middle of the
 * rest, so an hour of daylight saving does not matter. A market that rests at weekends alone (currencies, futures with a
 * break of an hour) has days that begin at the time at which its weeks begin on Sunday. Without a rest, and where bars begin
 * at midnight UTC, days are UTC.
 */
export interface DayRule {
  /** Added to a time it gives one whose UTC day is the bar's day. 0: days are UTC. */
  readonly shiftMs: number
  /** From the first time of a day to the midnight UTC of its date. 0: days are UTC. */
  readonly zoneMs: number
  /** For people. */
  readonly text: string
}

export const UTC_DAYS: DayRule = { shiftMs: 0, zoneMs: 0, text: 'UTC' }

const DAY_MS = 86_400_000
const SLOT_MS = 900_000
const SLOTS = 96
const HOUR_SLOTS = 4
/** A time of day that fewer than this share of the most frequent one have is an exception: a late row, a short day. */
const RARE = 0.02
/** Markets that rest less than this have no days of their own. */
const LEAST_REST = 4 * HOUR_SLOTS
const LEAST_DAYS = 5
/** Bars of a day begin within so much: daylight saving, an odd session. */
const MOST_SPREAD = 3 * HOUR_SLOTS
/** Midnight comes to New Zealand at 11:00 UTC; an earlier time is no zone's midnight of the next day. */
const FIRST_MIDNIGHT = 11 * HOUR_SLOTS
/** The share of weekends below which a market rests then: 0.6 of 2 days in 7. */
const WEEKEND_SHARE = (0.6 * 2) / 7
const MONTH_MS = 20 * DAY_MS
/** A weekend without bars, with holidays beside it. */
const LEAST_WEEKEND_MS = 40 * 3_600_000
const MOST_WEEKEND_MS = 5 * DAY_MS
/** An opening of the week that a tenth of the weeks have is a usual one; daylight saving makes two. */
const USUAL = 0.1
const NOON = SLOTS / 2
/** Of long series this many bars are looked at, in blocks from start to end. */
const MOST_BARS = 20_000
const BLOCK_BARS = 1000

/** Plain data that goes on from where it was: bars counted by weekday and quarter of an hour. */
export interface DayCounts {
  readonly counts: number[]
  bars: number
  /** Days with a bar, UTC. */
  days: number
  /** Bars that do not begin at a quarter of an hour. */
  odd: number
  last: number
  /** Times at least 20 days after the one before, the first ones. */
  readonly months: number[]
  /** At which quarters of an hour weeks began on a Sunday; and how many weekends there were. */
  readonly sundays: number[]
  weekends: number
}

export function beginDays(): DayCounts {
  return { counts: Array.from({ length: 7 * SLOTS }, () => 0), bars: 0, days: 0, odd: 0, last: -Infinity, months: [], sundays: Array.from({ length: SLOTS }, () => 0), weekends: 0 }
}

export function countDay(state: DayCounts, time: number): void {
  const day = Math.floor(time / DAY_MS)
  const within = time - day * DAY_MS
  const slot = Math.floor(within / SLOT_MS)
  const weekday = (((day + 4) % 7) + 7) % 7
  state.counts[weekday * SLOTS + slot]! += 1
  const since = time - state.last
  if (since >= LEAST_WEEKEND_MS && since <= MOST_WEEKEND_MS && weekday <= 1) {
    state.weekends += 1
    if (weekday === 0) state.sundays[slot]! += 1
  }
  if (slot * SLOT_MS !== within) state.odd += 1
  if (day !== Math.floor(state.last / DAY_MS)) state.days += 1
  if (since >= MONTH_MS && state.months.length < 1000) state.months.push(time)
  state.last = time
  state.bars += 1
}

/** Cost: at most 20 000 bars, whatever the length. */
export function dayRuleOf(time: Float64Array): DayRule {
  const state = beginDays()
  const blocks = Math.ceil(Math.min(time.length, MOST_BARS) / BLOCK_BARS)
  for (let block = 0; block < blocks; block += 1) {
    const from = Math.floor((block * time.length) / blocks)
    const to = Math.min(from + BLOCK_BARS, Math.floor(((block + 1) * time.length) / blocks))
    // What is not looked at is no weekend.
    if (from > 0) state.last = -Infinity
    for (let i = from; i < to; i += 1) countDay(state, time[i]!)
  }
  return dayRule(state)
}

export function dayRule(state: DayCounts): DayRule {
  const arc = arcOf(state.counts)
  if (arc === null) return weekRule(state)
  const isLong = state.bars <= 1.15 * state.days
  const wraps = arc.start + arc.spread >= SLOTS
  // An evening and a night of a market that never rests look like a session.
  if (!isLong && state.days < LEAST_DAYS) return UTC_DAYS
  if (isLong ? arc.spread > MOST_SPREAD || (arc.start === 0 && !wraps) : !wraps) return UTC_DAYS
  const boundary = arc.start - Math.floor(arc.rest / 2)
  const later = isNextDay(state, arc, boundary, isLong) ? 1 : isLong && isDayBefore(state, boundary) ? -1 : 0
  if (later === 0 && !wraps) return UTC_DAYS
  return {
    shiftMs: later * DAY_MS - boundary * SLOT_MS,
    zoneMs: later * DAY_MS - arc.start * SLOT_MS,
    text: `days begin at ${clock(arc.start)} UTC${later === 0 ? '' : later > 0 ? ' of the day before' : ' of the day after'}`,
  }
}

/** Days that begin when weeks do: at the one of the usual openings that leaves the fewest bars on Saturdays and Sundays. */
function weekRule({ counts, bars, days, sundays, weekends: weeks }: DayCounts): DayRule {
  let best = weekendsOf(counts, 0, 0)
  if (weeks === 0 || days < 2 * LEAST_DAYS || best > WEEKEND_SHARE * bars) return UTC_DAYS
  let start = SLOTS
  for (let slot = NOON; slot < SLOTS; slot += 1) {
    if (sundays[slot]! < USUAL * weeks || weekendsOf(counts, slot, 1) >= best) continue
    best = weekendsOf(counts, slot, 1)
    start = slot
  }
  if (start === SLOTS) return UTC_DAYS
  const shiftMs = (SLOTS - start) * SLOT_MS
  return { shiftMs, zoneMs: shiftMs, text: `days begin at ${clock(start)} UTC of the day before` }
}

interface Arc {
  /** The first quarter of an hour, how many later ones it spans, and how many are free before it. */
  readonly start: number
  readonly spread: number
  readonly rest: number
}

/** What lies outside of the longest rest; null without one. */
function arcOf(counts: readonly number[]): Arc | null {
  const slots = Array.from({ length: SLOTS }, (_, slot) => Array.from({ length: 7 }, (_day, day) => counts[day * SLOTS + slot]!).reduce((a, b) => a + b, 0))
  const least = Math.max(1, RARE * Math.max(...slots))
  const used = slots.flatMap((count, slot) => (count >= least ? [slot] : []))
  let best: Arc | null = null
  used.forEach((slot, k) => {
    const before = used.at(k - 1)!
    const rest = (slot - before + SLOTS - 1) % SLOTS
    if (rest >= LEAST_REST && rest > (best?.rest ?? 0)) best = { start: slot, rest, spread: SLOTS - 1 - rest }
  })
  return best
}

/** Whether bars stand for the day after the UTC day on which their arc begins. */
function isNextDay({ counts, bars, odd, months }: DayCounts, arc: Arc, boundary: number, isLong: boolean): boolean {
  const end = arc.start + arc.spread
  const wraps = end >= SLOTS
  if (isLong && !wraps && end < FIRST_MIDNIGHT) return false
  if (isLong && months.length >= 0.9 * bars) return months.filter((time) => isFirstOfMonth(time - boundary * SLOT_MS + DAY_MS)).length >= 0.9 * months.length
  const [same, next] = [weekendsOf(counts, boundary, 0) / bars, weekendsOf(counts, boundary, 1) / bars]
  if (Math.min(same, next) <= WEEKEND_SHARE && same !== next) return next < same
  // A market that rests, and too few bars to say more: a session within a day. One that does not: midnight somewhere.
  if (!isLong) return arc.start + end >= 2 * SLOTS
  return wraps || (same > WEEKEND_SHARE && odd === 0 && (end > 12 * HOUR_SLOTS || (end === 12 * HOUR_SLOTS && arc.spread > 0)))
}

/** Whether days are stamped at a close after midnight UTC: on Saturdays, and on Mondays not. */
function isDayBefore({ counts, bars }: DayCounts, boundary: number): boolean {
  return weekendsOf(counts, boundary, -1) / bars <= WEEKEND_SHARE && weekendsOf(counts, boundary, 0) / bars > WEEKEND_SHARE
}

function weekendsOf(counts: readonly number[], boundary: number, days: number): number {
  let sum = 0
  counts.forEach((count, at) => {
    const slot = at % SLOTS
    const day = (at - slot) / SLOTS + Math.floor((slot - boundary) / SLOTS) + days
    if ((((day % 7) + 7) % 7) % 6 === 0) sum += count
  })
  return sum
}

/** The bar's day, counted from 1970-01-01. */
export function dayOf(time: number, rule: DayRule): number {
  return Math.floor((time + rule.shiftMs) / DAY_MS)
}

/** The time at which a day begins. */
export function startOfDay(day: number, rule: DayRule): number {
  return day * DAY_MS - rule.zoneMs
}

function isFirstOfMonth(ms: number): boolean {
  return new Date(ms).getUTCDate() === 1
}

function clock(slot: number): string {
  const minutes = slot * 15
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
}
