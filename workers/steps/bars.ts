/** Bars into shared memory: from a file, or from stored blocks. */
import { SweepmillError } from '../../src/base/errors.js'
import { encodeBlocks, decodeBlocks } from '../../src/market/blocks.js'
import type { BarBlock } from '../../src/market/blocks.js'
import { attachBars, COLUMN_NAMES } from '../../src/market/layout.js'
import type { BarColumns, Bars, BarsMeta } from '../../src/market/layout.js'
import { createBars, layOutBars } from '../../src/market/bars.js'
import { DataRoom } from '../../src/market/data-room.js'
import type { Reading } from '../../src/market/reading.js'
import { readBars } from '../bar-file.js'
import { noteHandle } from '../handles.js'
import { stopped } from '../step.js'
import type { Step, StepResult } from '../step.js'

/** {file, source, reading, most_bytes} → shared.bars and its monthly blocks. `most_bytes` is what its columns may take; absent: anything. */
export const parseBars: Step = async ({ input, pulse }) => {
  const { file, source, reading, most_bytes: mostBytes } = input as { file: string; source: string; reading?: Reading; most_bytes?: number }
  const alive = (): void => { if (pulse.beat(0, 1)) throw stopped() }
  const { columns, warnings } = await readBars(file, source, reading, { room: new DataRoom(mostBytes), alive })
  alive()
  return handedOver(createBars(columns, { source, warnings }))
}

/** {symbols, warnings: one list a symbol} and shared part:0… → their bars one after the other, as `parse_bars` returns them. */
export const joinBars: Step = ({ input, shared }) => {
  const { symbols, warnings } = input as { symbols: readonly string[]; warnings: readonly (readonly string[])[] }
  const parts = symbols.map((_, k) => {
    const buffer = shared[`part:${k}`]
    if (buffer === undefined) throw new SweepmillError('INVARIANT', `This step was called without part ${k}.`)
    return attachBars(buffer)
  })
  const names = COLUMN_NAMES.filter((name) => parts.every((part) => part[name] !== undefined))
  const all = warnings.flatMap((list, k) => list.map((text) => `${symbols[k] ?? ''}: ${text}`))
  const joined = layOutBars(parts.reduce((sum, { length }) => sum + length, 0), names, { source: symbols.join(', '), warnings: all }, (name, into) => {
    let at = 0
    for (const part of parts) {
      into.set(part[name] ?? [], at)
      at += part.length
    }
  })
  // Months of each part by themselves: where one symbol ends and the next begins, time goes back. Without a column that some lack.
  return handedOver(joined, all, parts.flatMap((part) => encodeBlocks(names.includes('adjclose') ? part : withoutAdjclose(part))))
}

function withoutAdjclose({ adjclose: _adjclose, ...columns }: BarColumns): BarColumns {
  return columns
}

/** What `parse_bars` and `cut_series` return: bars in shared memory, and the blocks under which they are stored. */
export function handedOver(bars: Bars, warnings: readonly string[] = bars.meta.warnings, blocks: readonly BarBlock[] = encodeBlocks(bars)): StepResult {
  noteHandle(bars.hash, bars.buffer)
  return {
    json: {
      data_hash: bars.hash, source: bars.meta.source, bars: bars.length, first_time: iso(Math.min(...blocks.map((block) => block.firstTime))), last_time: iso(Math.max(...blocks.map((block) => block.lastTime))),
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

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
