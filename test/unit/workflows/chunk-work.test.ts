/** A chunk that steps leave anywhere: the same quanta come out of it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeTrialRows, joinTrialRows } from '../../../src/engine/index.js'
import { ChunkWork } from '../../../src/workflows/chunk-work.js'

/** A row a point that is no multiple of three: its index alone. */
function rowsOf(from: number, to: number): { bytes: Uint8Array; trials: number } {
  const kept = Array.from({ length: to - from }, (_, k) => from + k).filter((index) => index % 3 !== 0)
  return { bytes: encodeTrialRows({ width: 1, count: kept.length, rows: Float64Array.from(kept) }), trials: kept.length }
}

test('however its steps are cut, a chunk gives the rows of its quanta', () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }), fc.integer({ min: 0, max: 20 }), fc.infiniteStream(fc.integer({ min: 1, max: 12 })),
    (widths, start, steps) => {
      const ranges = widths.map((width, i): [number, number] => {
        const from = start + widths.slice(0, i).reduce((sum, one) => sum + one, 0)
        return [from, from + width]
      })
      const work = new ChunkWork({ quanta: ranges.map((_, i) => i + 7), ranges })
      const finished = []
      let [points, trials] = [0, 0]
      while (!work.isDone) {
        let left = steps.next().value
        const reply = { ms: [] as number[], trials: [] as number[], reached: 0 }
        const bytes: Record<string, Uint8Array> = {}
        for (const [i, [from, to]] of work.ranges.entries()) {
          if (left === 0) break
          reply.reached = Math.min(to, from + left)
          left -= reply.reached - from
          const rows = rowsOf(from, reply.reached)
          reply.ms.push(1)
          reply.trials.push(rows.trials)
          bytes[`q:${i}`] = rows.bytes
        }
        const part = work.add(reply, bytes)
        finished.push(...part.finished)
        points += part.points
        trials += part.trials
      }
      expect(finished).toMatchObject(ranges.map(([fromIndex, toIndex], i) => {
        const { bytes, trials: count } = rowsOf(fromIndex, toIndex)
        return { quantum: i + 7, fromIndex, toIndex, trials: count, rows: bytes }
      }))
      const last = ranges.at(-1)?.[1] ?? start
      expect([points, trials]).toEqual([last - start, rowsOf(start, last).trials])
      expect(work.costMs).toHaveLength(ranges.length)
    },
  ), { numRuns: 200 })
})

test('nothing joined is nothing', () => {
  expect(joinTrialRows([])).toEqual(new Uint8Array())
})
