/** Texts that name something about a task (whose it is, which repeat it is): what every door takes. */
import { isStorable } from '../base/storable-text.js'

/** Two of them make a key of an index, which has room for 2700 bytes. */
const MAX_CHARACTERS = 200

export const TASK_TEXT_FORM = `a text of 1 to ${MAX_CHARACTERS} characters without a NUL or half of a surrogate pair`

export function isTaskText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_CHARACTERS && isStorable(value)
}
