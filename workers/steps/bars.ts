/** Bars into shared memory: from a file, or from stored blocks. */
import { SweepmillError } from '../../src/base/errors.js'
import { encodeBlocks, decodeBlocks } from '../../src/market/blocks.js'
import type { Bars, BarsMeta } from '../../src/market/layout.js'
import { createBars } from '../../src/market/bars.js'
import { readBars } from '../bar-file.js'
import { noteHandle } from '../handles.js'
import type { Step, StepResult } from '../step.js'

/** {file, source} → shared.bars and its monthly blocks. */
export const parseBars: Step = async ({ input }) => {
  const { file, source } = input as { file: string; source: string }
  const { columns, warnings } = await readBars(file, source)
  return handedOver(createBars(columns, { source, warnings }))
}

/** What `parse_bars` and `cut_series` return: bars in shared memory, and the blocks under which they are stored. */
export function handedOver(bars: Bars, warnings: readonly string[] = bars.meta.warnings): StepResult {
  noteHandle(bars.hash, bars.buffer)
  const blocks = encodeBlocks(bars)
  return {
    json: {
      data_hash: bars.hash, source: bars.meta.source, bars: bars.length, first_time: iso(bars.time[0]), last_time: iso(bars.time[bars.length - 1]),
      size_bytes: bars.sizeBytes, warnings, blocks: blocks.map(({ month, hash, bars: count }) => ({ month, hash, bars: count })),
    },
    bytes: Object.fromEntries(blocks.map((block) => [`block:${block.hash}`, block.bytes])),
    shared: { bars: bars.buffer },
  }
}

/** {data_hash, meta} and payloads block:0… → shared.bars. */
export const loadBars: Step = ({ input, bytes }) => {
  const { data_hash: wanted, meta } = input as { data_hash: string; meta: BarsMeta }
  const blocks = Array.from({ length: Object.keys(bytes).length }, (_, i) => bytes[`block:${i}`] ?? new Uint8Array())
  const bars = decodeBlocks(blocks, meta)
  if (bars.hash !== wanted) throw new SweepmillError('INVARIANT', `The stored bars of ${meta.source} have the hash ${bars.hash}, not ${wanted}: the store is damaged.`)
  noteHandle(bars.hash, bars.buffer)
  return { json: { bars: bars.length }, shared: { bars: bars.buffer } }
}

function iso(ms: number | undefined): string {
  return new Date(ms ?? 0).toISOString()
}
