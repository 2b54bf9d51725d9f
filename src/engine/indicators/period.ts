/**
 * The checks of an indicator's arguments. A period is a whole number of bars, at least `least`; anything else
 * is the caller's mistake and is refused (PARAM_INVALID) instead of being rounded, because a sweep over 10.5
 * would otherwise show the results of 10 under another name.
 */
import { SweepmillError } from '../../base/errors.js'

export function checkPeriod(indicator: string, name: string, value: number, least = 1): void {
  if (Number.isInteger(value) && value >= least) return
  throw new SweepmillError('PARAM_INVALID',
    `ta.${indicator}: ${name} is ${String(value)}, but must be a whole number of at least ${least}.`,
    { details: { indicator, parameter: name, value, min: least } })
}

export function checkSameLength(indicator: string, columns: readonly ArrayLike<number>[]): void {
  const length = columns[0]?.length ?? 0
  for (const column of columns) {
    if (column.length === length) continue
    throw new SweepmillError('STRATEGY_FAILED',
      `ta.${indicator} was given columns of different lengths (${columns.map((c) => c.length).join(', ')}); pass columns of the same bars.`,
      { details: { indicator, lengths: columns.map((c) => c.length) } })
  }
}

/** A factor such as a band's width: any finite number, at least `least` where that is given. */
export function checkFactor(indicator: string, name: string, value: number, least = -Infinity): void {
  if (Number.isFinite(value) && value >= least) return
  throw new SweepmillError('PARAM_INVALID',
    `ta.${indicator}: ${name} is ${String(value)}, but must be a finite number${least === -Infinity ? '' : ` of at least ${least}`}.`,
    { details: { indicator, parameter: name, value } })
}

/** NaN and the infinities: an input that is no number. Every indicator treats the three alike. */
export function missing(x: number): boolean {
  return x - x !== 0
}

/** x, or NaN where x is infinite. A difference and no branch, so that it costs nothing in a loop; keeps -0. */
export function finite(x: number): number {
  return x - (x - x)
}

/** NaN in the place of what is infinite. */
export function onlyFinite(column: Float64Array): void {
  for (let i = 0; i < column.length; i++) column[i] = finite(column[i]!)
}

/** A column of NaN: every output is NaN before its first value. */
export function emptyColumn(length: number): Float64Array {
  return new Float64Array(length).fill(NaN)
}
