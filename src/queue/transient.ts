import { SweepmillError } from '../base/errors.js'

/** Whatever Redis or the way to it did: worth another try, and never a task's failure. Always throws. */
export function transient(error: unknown): never {
  if (error instanceof SweepmillError) throw error
  const message = error instanceof Error ? error.message : String(error)
  throw new SweepmillError('REDIS_UNAVAILABLE', `Redis does not answer as it should: ${message.replace(/\.+$/, '')}. Check REDIS_URL and that the server runs.`, { cause: error })
}
