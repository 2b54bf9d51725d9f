import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ProtocolFrames } from '../../../src/store/protocol-frames.js'

function message(kind: string, body: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.write(kind, 'latin1')
  head.writeUInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

const bytes = (least: number, most: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: least, maxLength: most })
const sound = fc.oneof(
  bytes(0, 0).map((body) => message('2', body)), bytes(1, 1).map((body) => message('Z', body)),
  bytes(2, 300).map((body) => message('D', body)), bytes(0, 300).map((body) => message('d', body)),
  bytes(0, 60).map((body) => message('E', Buffer.concat([body, Buffer.alloc(2)]))), bytes(1, 60).map((body) => message('C', body)),
)

test('messages pass however they are cut into pieces', () => {
  fc.assert(fc.property(fc.array(sound, { maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 }), (messages, sizes) => {
    const all = Buffer.concat(messages)
    const frames = new ProtocolFrames()
    for (let at = 0, n = 0; at < all.length; n += 1) {
      const size = sizes[n % sizes.length] ?? 1
      frames.feed(all.subarray(at, at + size))
      at += size
    }
  }), { numRuns: 300 })
})

test.each([
  ['a kind that there is none of', message('?', new Uint8Array(4))], ['a length of nothing', Buffer.from('D\0\0\0\0')],
  ['a ready server that says more', message('Z', new Uint8Array(2))], ['gigabytes', Buffer.from([68, 0xff, 0xff, 0xff, 0xff])],
  ['an error without an end', message('E', Buffer.from('Sx'))], ['a notice that lacks one of its two ends', message('N', Buffer.from('Sx\0'))],
])('%s is refused, whole or byte by byte', (_what, piece) => {
  expect(() => { new ProtocolFrames().feed(piece) }).toThrow('not Postgres')
  const frames = new ProtocolFrames()
  expect(() => { for (const byte of piece) frames.feed(Buffer.from([byte])) }).toThrow('not Postgres')
})
