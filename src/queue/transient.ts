import { SweepmillError } from '../base/errors.js'

/** What to change, by the word that Redis begins its refusal with; within a script it may stand further on. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/\bREADONLY\b/, 'Redis takes no writes: it is a replica. Point REDIS_URL at the primary'],
  [/\bCROSSSLOT\b|do not hash to the same slot/, 'Redis is a Cluster, whose keys lie apart. Set KEY_PREFIX to one with a hash tag, such as {sweepmill}:'],
  [/\b(MOVED|ASK) \d/, 'This node of a Redis Cluster does not hold the keys. Point REDIS_URL at the node that the answer names'],
  [/\bCLUSTERDOWN\b/, 'The Redis Cluster is down. See that all its slots are served'],
  [/\bMISCONF\b/, 'Redis takes no writes because it could not save to its disk. Make room there, or look at its log'],
  [/\bOOM\b/, 'The memory of Redis is full. Raise its maxmemory, or let work be done before more is queued'],
  [/\bNOPERM\b|can't run this command|can't access at least one of the keys|has no permissions/, 'The user of REDIS_URL lacks a right. Let it use all commands but admin ones, on all keys with KEY_PREFIX'],
  [/\b(NOAUTH|WRONGPASS)\b/, 'Redis does not let this user in. Check user and password in REDIS_URL'],
  [/\bLOADING\b/, 'Redis is loading its data. It answers when it has'],
  [/\bMASTERDOWN\b/, 'Redis is a replica that has lost its primary. Point REDIS_URL at the primary'],
  [/\bNOREPLICAS\b/, 'Redis takes no writes because it has too few replicas (min-replicas-to-write). Bring them back'],
  [/\bBUSY\b/, 'Redis is busy with a script of somebody else. Let it end, or kill it'],
]

/** Whatever Redis or the way to it did: worth another try, and never a task's failure. Always throws. */
export function transient(error: unknown): never {
  if (error instanceof SweepmillError) throw error
  const words = (error instanceof Error ? error.message : String(error)).replace(/\.+$/, '')
  const advice = ADVICE.find(([word]) => word.test(words))?.[1]
  const message = advice === undefined
    ? `Redis does not answer as it should: ${words}. Check REDIS_URL and that the server runs.`
    : `${advice}. It says: ${words}.`
  throw new SweepmillError('REDIS_UNAVAILABLE', message, { cause: error })
}
