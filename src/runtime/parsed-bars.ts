/** Bars as threads hand them over for a task, from a file or from the bar store. */
import { SweepmillError } from '../base/errors.js'
import type { DatasetRecord, StoredBlock } from '../tasks/bar-archive.js'
import type { ComputeReply } from '../tasks/compute-pool.js'

export interface ParsedBars {
  readonly dataset: DatasetRecord
  readonly blocks: readonly StoredBlock[]
  readonly buffer: SharedArrayBuffer
  /** Keys of the spec that only reading the bars could tell: what the name of a series turned out to be. Empty for a file. */
  readonly pinned: Readonly<Record<string, unknown>>
}

/** Bars that were found and not read yet. */
export interface BarSource {
  /** What its columns will take, about. */
  readonly columnBytes: number
  /** Keys of the spec that only looking could tell. */
  readonly pinned: ParsedBars['pinned']
  /** DATA_TOO_LARGE with `needed_bytes` where its columns take more than `mostBytes`. */
  read(mostBytes: number): Promise<ParsedBars>
}

export function parsedBars(reply: ComputeReply, pinned: ParsedBars['pinned'] = {}): ParsedBars {
  const parsed = JSON.parse(reply.json) as {
    data_hash: string; source: string; bars: number; first_time: string; last_time: string; size_bytes: number
    warnings: string[]; blocks: { month: string; hash: string; bars: number }[]
  }
  const buffer = reply.shared['bars']
  if (buffer === undefined) throw new SweepmillError('INVARIANT', 'A step that should return bars returned none.')
  return {
    dataset: {
      dataHash: parsed.data_hash, source: parsed.source, bars: parsed.bars, firstTime: parsed.first_time, lastTime: parsed.last_time,
      sizeBytes: parsed.size_bytes, warnings: parsed.warnings, blocks: parsed.blocks.map((block) => block.hash),
    },
    blocks: parsed.blocks.map((block) => ({ ...block, bytes: reply.bytes[`block:${block.hash}`] ?? new Uint8Array() })),
    buffer, pinned,
  }
}
