import { describe, expect, test } from 'vitest'
import { numberOf, parseExecution, parseSettings, parseSpace } from '../../../src/cli/assignments.js'
import { repeatedKey } from '../../../src/base/repeated-key.js'

describe('numbers', () => {
  test.each([['1', 1], ['-0.5', -0.5], ['+2', 2], ['.5', 0.5], ['5.', 5], ['1e-3', 0.001], [' 7 ', 7]])('%j is %d', (text, value) => {
    expect(numberOf(text)).toBe(value)
  })
  test.each(['', ' ', '1,5', '0x10', 'Infinity', 'NaN', '1_000', '1e', '--1'])('%j is none', (text) => { expect(numberOf(text)).toBeUndefined() })
})

describe('--param', () => {
  test('ranges and choices', () => {
    expect(parseSpace(['fast=5:50:1', 'slow=10:200', 'k=0.5:2:0.25', 'n=10', 'm=5,10,20', 'mode=a,b'])).toEqual({
      fast: { min: 5, max: 50, step: 1 }, slow: { min: 10, max: 200 }, k: { min: 0.5, max: 2, step: 0.25 },
      n: { choices: [10] }, m: { choices: [5, 10, 20] }, mode: { choices: ['a', 'b'] },
    })
  })
  test.each(['fast', 'fast=', '=5:50:1', 'fast=5:', 'fast=a:b:c', 'fast=5:50:1:2', 'fast=5:50:x'])('%j is refused', (text) => {
    expect(() => parseSpace([text])).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('fast=5:50:1') as string }))
  })
  test('a name given twice is refused', () => {
    expect(() => parseSpace(['fast=1:2:1', 'fast=3'])).toThrow(/--param fast is given twice/)
  })
})

test('--set reads numbers, booleans, null and text', () => {
  expect(parseSettings(['a=1.5', 'b=true', 'c=null', 'd=text', 'e=x=y'])).toEqual({ a: 1.5, b: true, c: null, d: 'text', e: 'x=y' })
})

describe('--execution', () => {
  test('a dot reaches into an object', () => {
    expect(parseExecution(['stop_loss=0.05', 'sizing.mode=units', 'sizing.value=3'])).toEqual({ stop_loss: 0.05, sizing: { mode: 'units', value: 3 } })
  })
  test('no name reaches the prototype of objects', () => {
    parseExecution(['__proto__.polluted=true'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

test('a key that a JSON text gives twice is found, however deep', () => {
  for (const text of ['{"a": 1, "a": 2}', '{"x": {"a": [1], "b": {}, "a": 3}}', '[{"a": 1}, {"b": 2, "b": 2}]', '{"a": 1, "\\u0061": 2}', '{"__proto__": 1, "__proto__": 2}']) {
    expect(repeatedKey(text)).toBeDefined()
  }
  for (const text of ['{"a": {"a": {"a": 1}}, "b": {"a": 1}}', '[{"a": 1}, {"a": 1}]', '{"a": "a", "b": ["a", "a"]}', '{"a": "{\\"a\\": 1, \\"a\\": 2}"}', '{}', '[]']) {
    expect(repeatedKey(text)).toBeUndefined()
  }
})
