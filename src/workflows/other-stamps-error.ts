/** DATA_CONFLICT: bars come that are stored under other times. How many, the first of them, and what to do. */
import { SweepmillError } from '../base/errors.js'
import type { StampPair } from '../market/other-stamps.js'

export interface OtherStampsFacts extends StampPair {
  readonly count: number
  /** Of what comes: a file, or an exchange. */
  readonly source: string
  /** Others came before it in the same import: what it meets may be theirs. */
  readonly follows: boolean
}

export function otherStampsError(series: string, { count, stored, incoming, source, follows }: OtherStampsFacts): SweepmillError {
  const example = { stored: new Date(stored).toISOString(), incoming: new Date(incoming).toISOString() }
  const timeframe = series.slice(series.lastIndexOf('/') + 1)
  const minutes = Math.round(Math.abs(incoming - stored) / 60_000)
  return new SweepmillError('DATA_CONFLICT',
    `${source} has ${count === 1 ? 'a bar' : `${count} bars`} of ${series} under another time than ${follows ? 'the store or a file before it' : 'the store'}: ${count === 1 ? 'it' : 'the first'} begins at ${example.incoming}, ${minutes} minutes ${incoming > stored ? 'after' : 'before'} ${example.stored}, which is no more than half of ${timeframe}. Nothing was stored, since each would stand twice. Give the bars the times that the series has; or keep them under a --symbol or --exchange of their own; or, if these times are the right ones, run \`sweepmill series remove ${series}\` and begin anew.`,
    { details: { series, count, source, example } })
}
