/** DATA_CONFLICT: bars come that differ from those that stand. How many, the first of them side by side, and what to do. */
import { SweepmillError } from '../base/errors.js'
import type { BarValues, DifferingBar } from '../market/differing-bars.js'

export interface DifferingFacts extends DifferingBar {
  readonly count: number
  /** Of what comes: a file, or an exchange. */
  readonly source: string
  /** Others came before it in the same import: what it meets may be theirs. */
  readonly follows: boolean
  /** A sync: nobody can say that it may replace them. */
  readonly synced: boolean
}

export function differingBarsError(series: string, { count, time, stored, incoming, source, follows, synced }: DifferingFacts): SweepmillError {
  const bars = count === 1 ? '1 bar' : `${count} bars`
  const at = new Date(time).toISOString()
  const example = incoming === null
    ? `the bars of ${source} have no adjclose, and in a month only all bars can have it`
    : `${count === 1 ? 'it' : 'the first'} is ${at}, where ${differences(stored, incoming, source)}`
  return new SweepmillError('DATA_CONFLICT',
    `${source} would change ${bars} of ${series} that ${count === 1 ? 'has' : 'have'} other values${follows ? ' in the store or in a file before it' : ''}: ${example}. ${synced
      ? `The stored bars are not the exchange's: keep them under another name, or remove them with \`sweepmill series remove ${series}\` and sync again.`
      : 'Nothing was stored. If it is another instrument, give it a --symbol or --exchange of its own; if the new values are the right ones, import with --replace.'}`,
    { details: { series, count, source, example: { time: at, stored, incoming } } })
}

function differences(stored: BarValues, incoming: BarValues, source: string): string {
  const names = Object.keys(stored).filter((name) => !Object.is(stored[name], incoming[name]))
  return names.map((name) => `${name} is ${stored[name]} and ${incoming[name] ?? 'nothing'} in ${source}`).join(', ')
}
