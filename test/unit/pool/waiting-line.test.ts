/** The order of waiting steps, and cells that ignore a dispatch that is over. */
import { expect, test } from 'vitest'
import { ControlBlock } from '../../../src/pool/control-block.js'
import { decodeCall, encodeCall } from '../../../src/pool/protocol.js'
import { WaitingLine } from '../../../src/pool/waiting-line.js'

test('priority first, then users in turn, then order of arrival', () => {
  const line = new WaitingLine<string>()
  for (const [priority, user, item] of [['low', 'a', 'a1'], ['low', 'a', 'a2'], ['low', 'b', 'b1'], ['high', 'b', 'h'], ['low', 'b', 'b2']] as const) line.add(priority, user, item)
  const taken = Array.from({ length: 6 }, () => line.take(() => true))
  expect(taken).toEqual(['h', 'a1', 'b1', 'a2', 'b2', null])
})

test('what may not run yet is passed over, not lost', () => {
  const line = new WaitingLine<string>()
  line.add('medium', 'a', 'big')
  line.add('low', 'a', 'small')
  expect(line.take((_, item) => item !== 'big')).toBe('small')
  expect(line.count('medium')).toBe(1)
  expect(line.remove('big')).toBe(true)
  expect([line.remove('big'), line.drain()]).toEqual([false, []])
})

test('a stale dispatch can neither cancel nor report', () => {
  const block = new ControlBlock(2)
  block.begin(1, 7)
  block.cancel(1, 6)
  expect([block.isCancelled(1, 7), block.isCancelled(1, 6)]).toEqual([false, true])
  block.report(1, 6, 5, 10)
  expect(block.progress(1, 7)).toBeNull()
  block.report(1, 7, 3, 10)
  expect([block.progress(1, 7), block.progress(1, 6), block.progress(0, 7)]).toEqual([{ done: 3, total: 10 }, null, null])
  block.begin(1, 8)
  expect([block.isCancelled(1, 8), block.progress(1, 8)]).toEqual([false, null])
})

test('a call of another protocol version is refused', () => {
  const bytes = encodeCall({ step: 'x', input: { a: [1, 2] } })
  expect(decodeCall(bytes)).toEqual({ step: 'x', input: { a: [1, 2] } })
  bytes[0] = 9
  expect(() => decodeCall(bytes)).toThrow(expect.objectContaining({ code: 'INVARIANT' }))
})
