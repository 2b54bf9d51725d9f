/** Query strings, checked key by key; REQUEST_INVALID names the key. */
import { SweepmillError } from '../base/errors.js'
import { isTaskId } from '../base/ids.js'
import { isStorable } from '../base/storable-text.js'
import { MOMENT_FORM, readMoment } from '../tasks/moment.js'

const MAX_LIMIT = 1000

/** The values of known keys, each given at most once. */
export function soleValues<K extends string>(query: Readonly<Record<string, unknown>>, known: readonly K[]): Partial<Record<K, string>> {
  for (const [key, value] of Object.entries(query)) {
    if (!(known as readonly string[]).includes(key)) throw refuse(key, `is not known; known are ${known.join(', ')}`)
    if (typeof value !== 'string') throw refuse(key, 'was given more than once')
    if (!isStorable(value)) throw refuse(key, 'holds a NUL or half of a surrogate pair, which no task has')
  }
  return query as Partial<Record<K, string>>
}

export function parseLimit(text: string): number {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > MAX_LIMIT) throw refuse('limit', `must be a whole number from 1 to ${MAX_LIMIT}`)
  return limit
}

export function parseTime(key: string, text: string): string {
  const moment = readMoment(text)
  if (moment === undefined) throw refuse(key, `must be ${MOMENT_FORM}`)
  return moment
}

/** Where a page ended: the time and the task of its last row. */
export function cursorOf(time: string, taskId: string): string {
  return `${time}_${taskId}`
}

export function placeOf(cursor: string): { readonly time: string; readonly taskId: string } {
  const [time = '', taskId = '', ...rest] = cursor.split('_')
  if (!isTaskId(taskId) || rest.length > 0) throw refuse('cursor', 'must be the next_cursor of the page before')
  return { time: parseTime('cursor', time), taskId }
}

export function refuse(key: string, why: string): SweepmillError {
  return new SweepmillError('REQUEST_INVALID', `"${key}" ${why}.`, { details: { key } })
}
