import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson } from '../../../src/base/canonical-json.js'

/** The same value with the keys of every object the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).toReversed().map(([key, one]) => [key, reversed(one)]))
}

test('the order of keys does not matter, everything else does', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const text = canonicalJson(value)
    expect(canonicalJson(reversed(value))).toBe(text)
    expect(canonicalJson(JSON.parse(JSON.stringify(value)))).toBe(text)
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
  }))
  expect([canonicalJson({ b: [2, 1], a: { d: 1, c: null } }), canonicalJson(undefined)]).toEqual(['{"a":{"c":null,"d":1},"b":[2,1]}', 'null'])
})
