/** The password of the embedded servers: made once, before the first of them, readable by their owner alone. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Place } from './place.js'
import { readWhole, writeWhole } from './whole-file.js'

export function secretOf(place: Place): string {
  const file = join(place.folder, 'secret')
  const made = readWhole(file)
  if (made !== null) return made
  const secret = randomBytes(18).toString('hex')
  writeWhole(file, secret)
  return secret
}
