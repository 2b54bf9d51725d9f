/** What is JSON arrives alike from a message and from a row; what is not is refused with its path. */
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { jsonObject, jsonValue } from '../../../src/base/json-value.js'
import { decodeBody, encodeBody } from '../../../src/tasks/message.js'

class Point { readonly x = 1 }
const circular: unknown[] = [1]
circular.push({ back: circular })
const holes: unknown[] = [1]
holes[3] = 4
const deep = (levels: number): unknown => { let one: unknown = 1; for (let i = 0; i < levels; i += 1) one = [one]; return one }

const REFUSED: readonly (readonly [string, unknown, string])[] = [
  ['a Date', { when: new Date(0) }, 'data.when'], ['NaN', { list: [1, Number.NaN] }, 'data.list[1]'], ['Infinity', { a: { b: -Infinity } }, 'data.a.b'],
  ['a BigInt', { n: 1n }, 'data.n'], ['a Map', { m: new Map([[1, 2]]) }, 'data.m'], ['a Set', { s: new Set() }, 'data.s'],
  ['bytes', { b: new Uint8Array(2) }, 'data.b'], ['a Buffer', { b: Buffer.from('x') }, 'data.b'], ['an ArrayBuffer', { b: new ArrayBuffer(1) }, 'data.b'],
  ['floats', { b: new Float64Array(2) }, 'data.b'], ['a function', { f: () => 1 }, 'data.f'], ['toJSON', { toJSON: () => 1 }, 'data.toJSON'],
  ['a symbol', { s: Symbol('x') }, 'data.s'], ['a key that is a symbol', { o: { [Symbol('x')]: 1 } }, 'data.o'], ['an instance', { p: new Point() }, 'data.p'],
  ['an error', { e: new Error('x') }, 'data.e'], ['a pattern', { r: /x/ }, 'data.r'], ['a boxed number', { n: Object(1) as unknown }, 'data.n'],
  ['what inherits', { o: Object.create({ inherited: 1 }) as unknown }, 'data.o'], ['holes', { list: holes }, 'data.list'],
  ['undefined in a list', { list: [1, undefined] }, 'data.list[1]'], ['a list with keys', { list: Object.assign([1], { extra: 2 }) }, 'data.list'],
  ['a cycle', { circular }, 'data.circular[1].back'], ['__proto__', JSON.parse('{"a": {"__proto__": {"x": 1}}}'), 'data.a.__proto__'],
  ['a getter that throws', { o: { get x(): never { throw new TypeError('no') } } }, 'data.o.x'],
  ['a NUL', { 'odd key': ['a\0b'] }, 'data["odd key"][0]'], ['half of a pair', { t: '\ud800' }, 'data.t'], ['a NUL in a key', { 'k\0': 1 }, 'data["k\\u0000"]'],
  ['a promise', { p: Promise.resolve(1) }, 'data.p'], ['a revoked proxy', { p: (() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy })() }, 'data.p'],
]

test.each(REFUSED)('%s is refused with its path', (_what, value, path) => {
  expect(() => jsonObject(value, 'data', 'refuse')).toThrow(expect.objectContaining({ code: 'SPEC_INVALID', details: { path } }) as Error)
})

test('what is no object, or lies too deep, is refused', () => {
  for (const value of [null, [], 'text', 5, true]) expect(() => jsonObject(value, 'data', 'refuse')).toThrow('data must be an object of keys and values.')
  expect(() => jsonObject(undefined, 'data', 'refuse')).toThrow('data is undefined')
  expect(jsonValue(deep(100), '', 'refuse')).toEqual(deep(100))
  expect(() => jsonValue(deep(101), '', 'refuse')).toThrow('levels deep')
  expect(() => jsonValue(deep(100_000), '', 'refuse')).toThrow('levels deep')
})

describe('what JSON does not tell apart', () => {
  test('undefined keys are left out, −0 is 0, and keys stand as Postgres keeps them', () => {
    const copy = jsonObject({ bb: 1, a: -0, gone: undefined, c: { z: 1, '2': 2, '10': 3 }, é: 1 }, 'data', 'refuse')
    expect(JSON.stringify(copy)).toBe('{"a":0,"c":{"2":2,"10":3,"z":1},"bb":1,"é":1}')
    expect(Object.is(copy['a'], 0)).toBe(true)
  })

  test('a getter is read once, and what another realm made is an object all the same', () => {
    let reads = 0
    expect(jsonValue({ get n() { reads += 1; return reads } }, 'data', 'refuse')).toEqual({ n: 1 })
    expect(reads).toBe(1)
    expect(jsonValue(runInNewContext('({ a: [1, { b: null }] })'), 'data', 'refuse')).toEqual({ a: [1, { b: null }] })
    expect(jsonValue(Object.assign(Object.create(null), { x: 1 }), 'data', 'refuse')).toEqual({ x: 1 })
    const twice = { x: 1 }
    expect(jsonValue([twice, twice], 'data', 'refuse')).toEqual([twice, twice])
  })

  test('texts of a result are left for the store', () => {
    expect(jsonValue({ t: 'a\0' }, 'result', 'keep')).toEqual({ t: 'a\0' })
  })
})

test('the message brings back exactly what JSON brings back', () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (value) => {
    let copy: Readonly<Record<string, unknown>>
    try {
      copy = jsonObject(value, 'data', 'refuse')
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: 'SPEC_INVALID' })
      return
    }
    const body = encodeBody(copy)
    const decoded = body === null ? null : decodeBody(body)
    expect(JSON.stringify(decoded?.kind === 'payload' ? decoded.data : null)).toBe(JSON.stringify(copy))
    expect(JSON.parse(JSON.stringify(copy))).toEqual(copy)
  }), { numRuns: 200 })
})
