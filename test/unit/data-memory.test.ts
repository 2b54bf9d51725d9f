/** The budget of market data in virtual time: who waits, in which order, and when bytes are free again. */
import { expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { collectGarbage } from '../../src/base/garbage.js'
import { DataMemory } from '../../src/runtime/data-memory.js'
import { eventually } from '../eventually.js'

const never = new AbortController().signal

function memory(budgetBytes: number, evictOne: (memory: DataMemory) => boolean = () => false, recall: () => Promise<void> = () => Promise.resolve()): DataMemory {
  const made: DataMemory = new DataMemory({ budgetBytes, clock: systemClock, collectGarbage, recall, evictOne: () => evictOne(made) })
  return made
}

/** Whether a promise has settled after everything that can happen now has happened. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let done = false
  void promise.then(() => { done = true }, () => { done = true })
  await new Promise((resolve) => { setImmediate(resolve) })
  return done
}

test('what does not fit waits in order of arrival, also where a later one would fit', async () => {
  const held = memory(100)
  await held.take(80, never)
  const large = held.take(50, never)
  const small = held.take(10, never)
  expect([await settled(large), await settled(small), held.usedBytes]).toEqual([false, false, 80])
  expect(held.tryTake(1)).toBe(false)
  held.giveBack(80)
  expect([await settled(large), await settled(small), held.usedBytes]).toEqual([true, true, 60])
})

test('who gives up leaves the line, and the next one is looked at', async () => {
  const held = memory(100)
  await held.take(80, never)
  const abort = new AbortController()
  const large = held.take(50, abort.signal)
  const small = held.take(10, never)
  abort.abort(new Error('enough'))
  await expect(large).rejects.toThrow('enough')
  expect([await settled(small), held.usedBytes]).toEqual([true, 90])
})

test('evicted bytes are free only when the threads let go and the buffer was collected', async () => {
  let recalled: () => void = () => undefined
  const cache: SharedArrayBuffer[] = []
  const held = memory(100, (self) => {
    const evicted = cache.pop()
    if (evicted === undefined) return false
    self.letGo('a', evicted)
    return true
  }, () => new Promise((resolve) => { recalled = resolve }))
  let alsoHeld: SharedArrayBuffer[] = []
  await held.take(80, never);
  // In a function of its own, so that no register of this one keeps it.
  (() => { const buffer = new SharedArrayBuffer(80); held.watch(buffer); cache.push(buffer); alsoHeld.push(buffer) })()
  const next = held.take(50, never)
  const gone = held.drained('a')
  expect([cache.length, await settled(next), await settled(gone), held.usedBytes]).toEqual([0, false, false, 80])
  recalled()
  await systemClock.sleep(100)
  // Somebody on this thread still has it, whatever was collected meanwhile.
  expect([await settled(next), alsoHeld.length, held.usedBytes]).toEqual([false, 1, 80])
  alsoHeld = []
  await eventually('the collection', () => settled(next))
  expect([held.usedBytes, await settled(gone)]).toEqual([50, true])
  held.close()
})

test('no more is evicted than the one in front needs', async () => {
  const evictable = [30, 30, 30]
  const held = memory(100, (self) => {
    const bytes = evictable.pop()
    if (bytes === undefined) return false
    const buffer = new SharedArrayBuffer(bytes)
    self.watch(buffer)
    self.letGo(`bars ${evictable.length}`, buffer)
    return true
  })
  await held.take(90, never)
  const next = held.take(40, never)
  await eventually('it to fit', () => settled(next))
  expect([evictable.length, held.usedBytes]).toEqual([2, 100])
  held.close()
})
