/**
 * Ichimoku Kinko Hyo (Hosoda's; 9 26 52 are usual): `conversion` and `base` are the middles of the last bars' range;
 * the spans are those a chart shows at this bar, made base - 1 bars ago (the present bar counts as one) and drawn
 * ahead: spanA the mean of conversion and base, spanB the middle over `spanB` bars. So nothing here looks ahead. The
 * lagging line (chikou) is the close drawn base - 1 bars back: at bar i it would be a later close, so it is left
 * out; compare the close with the one base - 1 bars ago instead.
 * All four begin together, at bar base + max(conversion, base, spanB) - 2. NaN rule of rolling-max.ts.
 */
import { DonchianStream } from './donchian.js'
import { missing } from './period.js'
import type { Columns } from './stream.js'
import { runColumns } from './stream.js'
import { Window } from './window.js'

export class IchimokuStream {
  private readonly conversion: DonchianStream
  private readonly base: DonchianStream
  private readonly spanB: DonchianStream
  private readonly aheadA: Window
  private readonly aheadB: Window
  private readonly out = { conversion: NaN, base: NaN, spanA: NaN, spanB: NaN }

  constructor(conversion: number, base: number, spanB: number) {
    this.conversion = new DonchianStream(conversion, 'ichimoku', 'conversion')
    this.base = new DonchianStream(base, 'ichimoku', 'base')
    this.spanB = new DonchianStream(spanB, 'ichimoku', 'spanB')
    this.aheadA = new Window(base)
    this.aheadB = new Window(base)
  }

  next(high: number, low: number): Readonly<typeof this.out> {
    const { out, aheadA, aheadB } = this
    out.conversion = this.conversion.next(high, low).middle
    out.base = this.base.next(high, low).middle
    aheadA.push((out.conversion + out.base) / 2)
    aheadB.push(this.spanB.next(high, low).middle)
    out.spanA = aheadA.oldest
    out.spanB = aheadB.oldest
    if (missing(out.conversion + out.base + out.spanA + out.spanB)) out.conversion = out.base = out.spanA = out.spanB = NaN
    return out
  }
}

export function ichimoku(high: Float64Array, low: Float64Array, conversion: number, base: number, spanB: number): Columns<'conversion' | 'base' | 'spanA' | 'spanB'> {
  return runColumns('ichimoku', [high, low], ['conversion', 'base', 'spanA', 'spanB'], new IchimokuStream(conversion, base, spanB))
}
