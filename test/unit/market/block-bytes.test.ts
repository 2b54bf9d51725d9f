/** Blocks keep the bytes, and so the hashes, that msgpackr gives them: those that are stored already must be found again. */
import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { expect, test } from 'vitest'
import { blockBytes } from '../../../src/market/block-bytes.js'
import { COLUMN_NAMES } from '../../../src/market/layout.js'

test('the bytes are those of msgpackr, for blocks of every size', () => {
  const packr = new Packr({ useRecords: false })
  fc.assert(fc.property(fc.constantFrom(1, 2, 31, 32, 127, 128, 255, 256, 8191, 8192, 44_640, 65_536), fc.boolean(), fc.nat(255), (bars, hasAdjclose, fill) => {
    const names = COLUMN_NAMES.filter((name) => hasAdjclose || name !== 'adjclose')
    const columns = names.map((name, k) => [name, new Uint8Array(bars * 8).fill((fill + k) % 256)] as const)
    const packed = packr.pack({ month: '2024-02', bars, columns: Object.fromEntries(columns) })
    const bytes = blockBytes({ version: 1, month: '2024-02', bars, columns })
    // A thread gives a whole buffer away; a part of one would be copied.
    expect([bytes[0], bytes.buffer.byteLength]).toEqual([1, bytes.byteLength])
    expect(Buffer.compare(bytes.subarray(1), packed)).toBe(0)
  }), { numRuns: 60 })
})
