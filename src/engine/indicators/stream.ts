/**
 * An indicator bar by bar: `next` takes one value of each input column, in the order of the function's columns, and
 * gives the value at that bar, the same bits as the function over whole columns, NaN before the first value.
 * State lives in fields and in arrays that grow at most to the length of the window; no object is made per bar.
 * An indicator with several outputs returns one record that it writes anew each time: copy what must be kept.
 *
 * Most functions are their stream run over columns, so there is one definition. The few with loops of their own
 * (those that sweeps ask for most) are held to their streams bit for bit by test/property/engine-indicators.
 */
import { checkSameLength } from './period.js'

export interface Stream<Output = number> {
  next(...inputs: number[]): Output
}

/** Outputs of one bar, and outputs as columns. */
export type Values<Name extends string> = Record<Name, number>
export type Columns<Name extends string> = Readonly<Record<Name, Float64Array>>

/** Runs a stream of one output over columns of one length. */
export function runColumn(indicator: string, columns: readonly [Float64Array, ...Float64Array[]], stream: Stream): Float64Array {
  checkSameLength(indicator, columns)
  const [a, b = a, c = a, d = a, e = a] = columns
  const out = new Float64Array(a.length)
  // One loop for each number of inputs: spreading would allocate at every bar.
  if (columns.length === 1) for (let i = 0; i < out.length; i++) out[i] = stream.next(a[i]!)
  else if (columns.length === 2) for (let i = 0; i < out.length; i++) out[i] = stream.next(a[i]!, b[i]!)
  else if (columns.length === 3) for (let i = 0; i < out.length; i++) out[i] = stream.next(a[i]!, b[i]!, c[i]!)
  else if (columns.length === 4) for (let i = 0; i < out.length; i++) out[i] = stream.next(a[i]!, b[i]!, c[i]!, d[i]!)
  else for (let i = 0; i < out.length; i++) out[i] = stream.next(a[i]!, b[i]!, c[i]!, d[i]!, e[i]!)
  return out
}

/** The same for a stream of several outputs, named as the columns of the result. At most four inputs. */
export function runColumns<Name extends string>(
  indicator: string, columns: readonly [Float64Array, ...Float64Array[]], names: readonly Name[], stream: Stream<Values<Name>>,
): Columns<Name> {
  checkSameLength(indicator, columns)
  const [a, b = a, c = a, d = a] = columns
  const outs = names.map(() => new Float64Array(a.length))
  for (let i = 0; i < a.length; i++) {
    const values = stream.next(a[i]!, b[i]!, c[i]!, d[i]!)
    for (let k = 0; k < names.length; k++) outs[k]![i] = values[names[k]!]
  }
  return Object.fromEntries(names.map((name, k) => [name, outs[k]!])) as Record<Name, Float64Array>
}
