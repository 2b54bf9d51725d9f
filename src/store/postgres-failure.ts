/**
 * The one place where what Postgres, its driver or the way to it say becomes an error of ours. Every connection passes
 * what it rejects with through here (src/store/connection.ts), so no caller can forget it.
 *
 * Whatever another try, a restart or an operator can mend is POSTGRES_UNAVAILABLE, which is transient: no task fails for
 * it, and a door answers 503. Only a statement that is wrong in itself, or does not fit its data, is a defect of ours.
 */
import { SweepmillError } from '../base/errors.js'

/** What to change, by the first SQLSTATE that fits; the first column is a prefix. */
const ADVICE: readonly (readonly [string, string])[] = [
  ['25006', 'Postgres takes no writes (a standby, or default_transaction_read_only). Point DATABASE_URL at the primary'],
  ['25P03', 'Postgres ended a transaction that waited too long. Nothing of it was written'],
  ['53100', 'The disk of Postgres is full. Make room on it'],
  ['53200', 'Postgres is out of memory. Give it more, or run fewer workers'],
  ['53300', 'Postgres takes no more connections. Raise its max_connections, or run fewer workers'],
  ['28', 'Postgres does not let this user in. Check user and password in DATABASE_URL, and pg_hba.conf'],
  ['3D000', 'Postgres has no such database. Check the name in DATABASE_URL'],
  ['42501', 'The user of DATABASE_URL lacks a right. Grant it, or let the user own the schema'],
  ['57014', 'Postgres cancelled the statement. Look for a statement_timeout, or an operator who did it'],
  ['57P', 'Postgres is stopping or starting'],
  ['55P03', 'Somebody else holds a lock for too long'],
  ['58', 'Postgres cannot use its files. Look at its log'],
  ['XX', 'Postgres failed in itself. Look at its log'],
  ['08', 'The connection to Postgres broke'],
  ['40', 'Postgres undid the transaction because of another one'],
  ['53', 'Postgres lacks a resource'],
]

/** Text that is no sentence of its own ends without a point. */
const ANY_TROUBLE = 'Postgres does not answer as it should'

/** An error of ours, whatever was thrown by the driver. One that is ours already stays. */
export function asOurs(error: unknown): SweepmillError {
  if (error instanceof SweepmillError) return error
  const state = sqlState(error)
  if (state === undefined) return unavailable(ANY_TROUBLE, error, `${wordsOf(error)}. Check DATABASE_URL and that the server runs`)
  const [, advice] = ADVICE.find(([prefix]) => state.startsWith(prefix)) ?? []
  if (advice !== undefined) return unavailable(advice, error, `it says: ${wordsOf(error)}`, state)
  return new SweepmillError('INVARIANT', `Postgres refused a statement of this program: ${wordsOf(error)}.`, { cause: error, details: { sqlstate: state } })
}

function unavailable(what: string, cause: unknown, words: string, state?: string): SweepmillError {
  return new SweepmillError('POSTGRES_UNAVAILABLE', `${what}: ${words}.`, { cause, ...(state === undefined ? {} : { details: { sqlstate: state } }) })
}

/** A name that stands for several addresses fails with one error for each, and no words of its own. */
function wordsOf(error: unknown): string {
  const several = error instanceof AggregateError ? (error.errors as unknown[]).map(wordsOf).join(', ') : ''
  const own = error instanceof Error ? error.message : String(error)
  return (own === '' ? several : own).replace(/\.+$/, '') || 'nothing more is known'
}

/** True for errors of the data (also of its size), which splitting a batch can isolate; false for a lost server. */
export function isDataError(error: unknown): boolean {
  const state = sqlState(error)
  return state !== undefined && /^(22|23|54)/.test(state)
}

/** True when a lock was not to be had in time, or two waited for each other: nothing is broken, and nothing was done. */
export function isLockRefused(error: unknown): boolean {
  const state = sqlState(error)
  return state === '55P03' || state === '40P01'
}

/** True when a row of the same key was there already. */
export function isTaken(error: unknown): boolean {
  return sqlState(error) === '23505'
}

/** True for all that Postgres itself did not say: a time that is over, a connection that broke, bytes that are none of its. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof SweepmillError && error.code === 'POSTGRES_UNAVAILABLE' && sqlState(error) === undefined
}

/** Each holds a digit; EPIPE, which a socket says, does not. */
function sqlState(error: unknown): string | undefined {
  const holder = error instanceof SweepmillError ? error.cause : error
  const code = (holder as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : undefined
}
