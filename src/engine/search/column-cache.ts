/**
 * The `ta` of a sweep: the same functions, remembering each (function, columns, arguments) they were asked for.
 * A grid of 200 × 500 trials needs 700 averages, not 200 000.
 *
 * Only columns it knows count: the bars' own and those it made itself. A column that a strategy built is
 * computed afresh each time, because another trial's may have the same shape and other content. Masks
 * (crosses) are not kept, nearly every pair is asked for once; but one walk gives both sides of a pair, so the
 * side that was not asked for waits for the next call.
 * Memory is bounded: the columns used longest ago go first. Losing one costs time, never the result.
 * Where it guards its columns, it keeps a sum of each, and `written` compares those that were used since it was last asked.
 */
import type { BarColumns } from '../../market/layout.js'
import type { ColumnIndicator, Indicators } from '../indicators/indicators.js'
import type { Column } from '../indicators/cross.js'
import { crossBoth } from '../indicators/cross.js'
import { ta } from '../indicators/indicators.js'

export const DEFAULT_CACHE_BYTES = 256 * 1024 * 1024

type Remembered = Float64Array | Readonly<Record<string, Float64Array>>
type IndicatorFunction = (...args: never[]) => Remembered

/** Every indicator that gives columns; derived, so that a new one cannot be forgotten. */
const KEPT = (Object.keys(ta) as (keyof Indicators)[]).filter((name): name is ColumnIndicator => name !== 'crossAbove' && name !== 'crossBelow')

const BAR_COLUMNS = ['time', 'open', 'high', 'low', 'close', 'volume', 'adjclose'] as const

export class ColumnCache {
  readonly ta: Indicators
  /** Columns computed so far, for tests and for telemetry. */
  computed = 0
  sizeBytes = 0
  private readonly limitBytes: number
  private readonly ids = new WeakMap<Float64Array, number>()
  private nextId = 0
  private waiting: { readonly side: 'above' | 'below'; readonly a: Float64Array; readonly b: Float64Array; readonly mask: Uint8Array } | undefined
  /** In order of last use: the first is the next to go. */
  private readonly results = new Map<string, Remembered>()
  private readonly guards: boolean
  private readonly barSums: { readonly name: string; readonly column: Float64Array; readonly sum: number }[] = []
  private readonly sums = new WeakMap<Remembered, number>()
  /** Keys of those handed out since `written` was last asked. */
  private readonly used = new Set<string>()
  /** One that was written into, and went since. */
  private lost: string | undefined

  constructor(bars: BarColumns, limitBytes: number = DEFAULT_CACHE_BYTES, guards = false) {
    this.limitBytes = limitBytes
    this.guards = guards
    for (const name of BAR_COLUMNS) {
      const column = bars[name]
      if (column === undefined) continue
      this.ids.set(column, this.nextId++)
      if (guards) this.barSums.push({ name, column, sum: sumOf(column) })
    }
    const remembering: Record<string, unknown> = { ...ta }
    for (const name of KEPT) remembering[name] = this.remember(name, ta[name] as unknown as IndicatorFunction)
    remembering.crossAbove = (a: Column, b: Column) => this.cross('above', a, b)
    remembering.crossBelow = (a: Column, b: Column) => this.cross('below', a, b)
    this.ta = remembering as Indicators
  }

  private cross(side: 'above' | 'below', a: Column, b: Column): Uint8Array {
    const known = a instanceof Float64Array && b instanceof Float64Array && this.ids.has(a) && this.ids.has(b)
    if (!known || a.length !== b.length) return side === 'above' ? ta.crossAbove(a, b) : ta.crossBelow(a, b)
    const { waiting } = this
    this.waiting = undefined
    // Handed out once: a strategy may write into the masks it gets.
    if (waiting?.side === side && waiting.a === a && waiting.b === b) return waiting.mask
    const both = crossBoth(a, b)
    const other = side === 'above' ? 'below' : 'above'
    this.waiting = { side: other, a, b, mask: both[other] }
    return both[side]
  }

  private remember(name: string, compute: IndicatorFunction): IndicatorFunction {
    return (...args: never[]) => {
      const key = this.keyOf(name, args)
      if (key === undefined) return compute(...args)
      const found = this.results.get(key)
      if (found !== undefined) {
        this.results.delete(key)
        this.results.set(key, found)
        if (this.guards) this.used.add(key)
        return found
      }
      const made = compute(...args)
      this.computed++
      this.keep(key, made)
      return made
    }
  }

  private keyOf(name: string, args: readonly unknown[]): string | undefined {
    let key = name
    for (const arg of args) {
      if (typeof arg === 'number') {
        key += `,${arg}`
        continue
      }
      const id = arg instanceof Float64Array ? this.ids.get(arg) : undefined
      if (id === undefined) return undefined
      key += `,#${id}`
    }
    return key
  }

  private keep(key: string, made: Remembered): void {
    const size = sizeOf(made)
    if (size > this.limitBytes) return
    this.results.set(key, made)
    this.sizeBytes += size
    if (this.guards) {
      this.sums.set(made, sumOf(made))
      this.used.add(key)
    }
    for (const column of columnsOf(made)) this.ids.set(column, this.nextId++)
    for (const [oldest, result] of this.results) {
      if (this.sizeBytes <= this.limitBytes) break
      if (this.used.has(oldest) && this.isWritten(result)) this.lost ??= oldest
      this.results.delete(oldest)
      this.sizeBytes -= sizeOf(result)
    }
  }

  /** A column of the bars, or one of `ta` that was used since the last call, whose content is not what it was: in words. */
  written(): string | undefined {
    if (!this.guards) return undefined
    const { barSums, used, results } = this
    const bars = barSums.find(({ column, sum }) => sumOf(column) !== sum)
    if (bars !== undefined) return `the column ${bars.name} of its bars`
    let found = this.lost
    for (const key of used) {
      const result = results.get(key)
      if (found === undefined && result !== undefined && this.isWritten(result)) found = key
    }
    used.clear()
    return found === undefined ? undefined : `a column that ta.${found.split(',')[0]!} made`
  }

  private isWritten(result: Remembered): boolean {
    return sumOf(result) !== this.sums.get(result)
  }
}

/** Of the bits, so that NaN counts too. Four sums at once: one would wait for its own last addition. */
function sumOf(result: Remembered): number {
  let sum = 0
  for (const column of columnsOf(result)) {
    const words = new Int32Array(column.buffer, column.byteOffset, column.length * 2)
    const whole = words.length & ~3
    let a = 0, b = 0, c = 0, d = 0
    for (let i = 0; i < whole; i += 4) {
      a = (Math.imul(a, 31) + words[i]!) | 0
      b = (Math.imul(b, 31) + words[i + 1]!) | 0
      c = (Math.imul(c, 31) + words[i + 2]!) | 0
      d = (Math.imul(d, 31) + words[i + 3]!) | 0
    }
    for (let i = whole; i < words.length; i++) a = (Math.imul(a, 31) + words[i]!) | 0
    sum = (Math.imul(sum, 31) + a + Math.imul(b, 37) + Math.imul(c, 41) + Math.imul(d, 43)) | 0
  }
  return sum
}

function columnsOf(result: Remembered): readonly Float64Array[] {
  return result instanceof Float64Array ? [result] : Object.values(result)
}

function sizeOf(result: Remembered): number {
  return columnsOf(result).reduce((sum, column) => sum + column.byteLength, 0)
}
