/** Parquet read row group by row group: the same months whether they are taken on the way or at the end, and the same errors. */
import fc from 'fast-check'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { expect, test } from 'vitest'
import { SweepmillError } from '../../src/base/errors.js'
import { encodeBlocks, encodeFirst, MonthsAsRead } from '../../src/market/blocks.js'
import type { BarColumns } from '../../src/market/layout.js'
import { readParquet } from '../../src/market/read-parquet.js'

const HOUR_MS = 3_600_000

/** `late`: a row whose time is that of its neighbour before. `broken`: a row whose high is below its low. */
function file(hours: readonly number[], rowGroupSize: number, late?: number, broken?: number): ArrayBuffer {
  const at = hours.map((hour, i) => (i === late ? hours[i - 1] ?? hour : hour))
  const column = (name: string, of: (i: number) => number): { name: string; data: number[]; type: 'DOUBLE' } => ({ name, data: at.map((_, i) => of(i)), type: 'DOUBLE' })
  return parquetWriteBuffer({
    columnData: [
      { name: 'time', data: at.map((hour) => BigInt(1_600_000_000_000 + hour * HOUR_MS)), type: 'INT64' },
      column('open', (i) => i + 1), column('high', (i) => (i === broken ? 0.5 : i + 3)), column('low', () => 1), column('close', () => 1), column('volume', (i) => i),
    ],
    rowGroupSize,
  })
}

interface Read { readonly hashes: string[]; readonly warnings: readonly string[]; readonly taken: number }

async function read(bytes: ArrayBuffer, take: boolean, look: (rows: BarColumns) => void = () => undefined): Promise<Read | string> {
  const watch = new MonthsAsRead()
  const early: string[] = []
  try {
    const { columns, warnings } = await readParquet(bytes, 'x.parquet', take ? (rows) => {
      look(rows)
      const over = watch.over(rows)
      early.push(...encodeFirst(rows, over).map(({ hash }) => hash))
      return over
    } : undefined)
    return { hashes: [...early, ...encodeBlocks(columns).map(({ hash }) => hash)], warnings, taken: early.length }
  } catch (error) {
    if (error instanceof SweepmillError) return `${error.code} ${error.message}`
    throw error
  }
}

test('months that are taken while row groups are read are those of the whole file, and so are its errors', async () => {
  const seen = { taken: 0, backwards: 0, refused: 0 }
  await fc.assert(fc.asyncProperty(
    fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 60 }), fc.boolean(), fc.integer({ min: 1, max: 70 }),
    fc.option(fc.integer({ min: 1, max: 59 }), { nil: undefined, freq: 3 }), fc.option(fc.nat(59), { nil: undefined, freq: 3 }),
    async (steps, backwards, groupRows, late, broken) => {
      let hour = 0
      const hours = steps.map((step) => (hour += step))
      const bytes = file(backwards ? hours.toReversed() : hours, groupRows, late, broken)
      const whole = await read(bytes, false)
      const streamed = await read(bytes, true)
      if (typeof whole === 'string' || typeof streamed === 'string') {
        seen.refused += 1
        expect(streamed).toEqual(whole)
        return
      }
      expect({ ...streamed, taken: 0 }).toEqual(whole)
      if (streamed.taken > 0) seen.taken += 1
      if (backwards && steps.length > 1) seen.backwards += 1
    },
  ), { numRuns: 400, seed: 25 })
  expect(Math.min(seen.taken, seen.backwards, seen.refused)).toBeGreaterThan(50)
})

test('rows that nobody takes are not copied with each row group', async () => {
  const rooms = new Set<ArrayBufferLike>()
  const hours = Array.from({ length: 3000 }, (_, i) => 3000 - i)
  const result = await read(file(hours, 10), true, ({ time }) => rooms.add(time.buffer))
  expect(result).toMatchObject({ taken: 0, warnings: [expect.stringContaining('turned round')] })
  expect(rooms.size).toBeLessThan(20)
})
