/** Flags that name a moment or a stretch of time. */
import { InvalidArgumentError } from 'commander'
import { MOMENT_FORM, readMoment } from '../tasks/moment.js'

/** A moment as ISO 8601 UTC. Without a zone it is UTC, as everywhere in the program. */
export function time(text: string): string {
  const moment = readMoment(text)
  if (moment === undefined) throw new InvalidArgumentError(`Write ${MOMENT_FORM}.`)
  return moment
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const MAX_DAYS = 3660

/** `90s`, `5m`, `2h`, `1d`, `500ms` in milliseconds. */
export function duration(text: string): number {
  const [, count = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? []
  const ms = Number(count) * (UNITS_MS[unit] ?? Number.NaN)
  if (count === '' || Number.isNaN(ms) || ms > MAX_DAYS * 86_400_000) throw new InvalidArgumentError('Write a number and a unit, such as 90s, 5m, 2h or 1d; ten years at most.')
  return ms
}
