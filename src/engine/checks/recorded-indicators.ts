/** A `ta` that remembers each call in order, so that a check can say which indicator was the first to change. */
import { ta } from '../indicators/indicators.js'
import type { Indicators } from '../indicators/indicators.js'
import type { Series } from './altered-bars.js'
import { firstUnequal } from './observed-run.js'

interface Output {
  readonly name: string
  readonly values: ArrayLike<number>
}

interface Call {
  /** As one would write it: `ta.sma(close, 20)`; `column` is one that the strategy made itself. */
  readonly label: string
  /** The strategy's own columns among its arguments. */
  readonly own: readonly ArrayLike<number>[]
  readonly outputs: readonly Output[]
}

const OWN = 'column'

export class RecordedIndicators {
  readonly ta: Indicators
  readonly calls: Call[] = []
  private readonly names = new Map<unknown, string>()

  /** `symbols`: of several series; none for one. */
  constructor(series: Series, symbols: readonly string[]) {
    for (const [s, bars] of series.entries()) {
      for (const [name, column] of Object.entries(bars)) if (column instanceof Float64Array) this.names.set(column, symbols.length === 0 ? name : `${symbols[s]}.${name}`)
    }
    this.ta = Object.fromEntries(Object.entries(ta).map(([name, compute]) => [name, (...args: unknown[]) => {
      const made: unknown = (compute as (...args: unknown[]) => unknown)(...args)
      this.note(name, args, made)
      return made
    }])) as unknown as Indicators
  }

  private note(name: string, args: readonly unknown[], made: unknown): void {
    const label = `ta.${name}(${args.map((arg) => this.nameOf(arg)).join(', ')})`
    const outputs = isColumn(made) ? [{ name: label, values: made }]
      : Object.entries(made as Record<string, unknown>).flatMap(([key, values]) => (isColumn(values) ? [{ name: `${label}.${key}`, values }] : []))
    for (const output of outputs) this.names.set(output.values, output.name)
    this.calls.push({ label, own: args.filter(isColumn).filter((arg) => !this.names.has(arg)), outputs })
  }

  private nameOf(arg: unknown): string {
    if (typeof arg === 'number') return String(arg)
    if (isColumn(arg)) return this.names.get(arg) ?? OWN
    return 'bars'
  }
}

export interface ChangedIndicator {
  readonly name: string
  /** It was given a column of the strategy's own, which had changed before it. */
  readonly fromOwnColumn: boolean
}

/** The first call of which a column of `length` values differs on bars before `to`; undefined when none does. */
export function firstChangedIndicator(before: RecordedIndicators, after: RecordedIndicators, length: number, to: number): ChangedIndicator | undefined {
  for (const [k, call] of before.calls.entries()) {
    const other = after.calls[k]
    if (other === undefined) return undefined
    // Another number among its arguments: it depends on the bars that came later.
    if (other.label !== call.label) return { name: call.label, fromOwnColumn: false }
    const fromOwnColumn = call.own.some((column, j) => column.length === length && firstUnequal(column, other.own[j] ?? [], to) !== -1)
    for (const [j, { name, values }] of call.outputs.entries()) {
      if (values.length === length && firstUnequal(values, other.outputs[j]?.values ?? [], to) !== -1) return { name, fromOwnColumn }
    }
  }
  return undefined
}

function isColumn(value: unknown): value is ArrayLike<number> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))
}
