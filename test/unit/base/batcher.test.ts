/** Group commit: one call goes at once, concurrent ones share, a culprit fails alone. */
import { expect, test } from 'vitest'
import { Batcher } from '../../../src/base/batcher.js'

test('calls that arrive during a flush travel together in the next', async () => {
  const batches: number[][] = []
  let release: (() => void) | undefined
  const batcher = new Batcher<number, number>(async (items) => {
    batches.push([...items])
    if (batches.length === 1) await new Promise<void>((resolve) => { release = resolve })
    return items.map((item) => item * 2)
  }, { maxItems: 3, lanes: 1, splits: () => false })
  const first = batcher.add(1)
  await Promise.resolve()
  const rest = batcher.addAll([2, 3, 4, 5])
  release?.()
  expect([await first, ...await rest]).toEqual([2, 4, 6, 8, 10])
  expect(batches).toEqual([[1], [2, 3, 4], [5]])
})

test('a batch that fails on its data is split down to the culprit', async () => {
  const batcher = new Batcher<number, number>((items) =>
    (items.includes(3) ? Promise.reject(new Error('bad 3')) : Promise.resolve(items)), { maxItems: 100, lanes: 1, splits: () => true })
  const results = await Promise.allSettled([1, 2, 3, 4].map((item) => batcher.add(item)))
  expect(results.map((one) => one.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
})
