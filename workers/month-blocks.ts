/** Blocks of months as a step replies with them: what is said of each, and its bytes as `block:MONTH`. */
import type { BarBlock } from '../src/market/blocks.js'

export interface MonthsReply {
  readonly json: { readonly months: readonly Record<string, unknown>[] }
  readonly bytes: Readonly<Record<string, Uint8Array>>
}

export function monthFacts({ month, hash, bars, firstTime, lastTime }: BarBlock): Record<string, unknown> {
  return { month, hash, bars, first_time: firstTime, last_time: lastTime }
}

/** `more`: what else is said of each. */
export function monthsReply(blocks: readonly BarBlock[], more: (i: number) => Record<string, unknown> = () => ({})): MonthsReply {
  return {
    json: { months: blocks.map((block, i) => ({ ...monthFacts(block), ...more(i) })) },
    bytes: Object.fromEntries(blocks.map((block) => [`block:${block.month}`, block.bytes])),
  }
}
