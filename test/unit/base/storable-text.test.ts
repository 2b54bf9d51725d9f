import { expect, test } from 'vitest'
import { SweepmillError, toSweepmillError } from '../../../src/base/errors.js'
import { cutText, isStorable, storableJson, storableText } from '../../../src/base/storable-text.js'

test('a NUL and half of a pair are replaced by what shows that they stood there', () => {
  expect(storableText('a\0b\ud83dc\ude00')).toBe('a\u2400b\ufffdc\ufffd')
  for (const fine of ['', 'plain', '\u0001\u007f', '😀 é 漢', '\\u0000', '\ufffd']) {
    expect(isStorable(fine)).toBe(true)
    expect(storableText(fine)).toBe(fine)
  }
})

test('the same in JSON that is not decoded: what only looks like an escape stays', () => {
  const values = ['a\0', '\\u0000', '\\\\u0000', '\\\0', '\ud800', '\udc00x', '😀', '\\ud800', { 'k\0': ['\udfff"\\'] }, 'tab\t"quoted"\u0001']
  const shown = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll('\\\\', 'ESCAPED').replaceAll('\\u0000', '\u2400')
    .replaceAll(/\\ud[89a-f]../g, '\ufffd').replaceAll('ESCAPED', '\\\\'))
  for (const value of values) expect(JSON.parse(storableJson(JSON.stringify(value)))).toEqual(shown(value))
  // Whole pairs that were written as escapes are text like any other.
  expect(JSON.parse(storableJson('"\\ud83d\\ude00\\u0000\\uD83D"'))).toBe('😀\u2400\ufffd')
})

test('a cut does not go through a pair', () => {
  expect(cutText('short', 10)).toBe('short')
  expect(cutText('123😀56', 4)).toBe('123 … (4 more characters)')
})

test('an error becomes bounded JSON, whatever was thrown', () => {
  const circular: Record<string, unknown> = {}
  circular['self'] = circular
  expect(new SweepmillError('INVARIANT', 'x'.repeat(20_000_000), { details: circular }).toData()).toMatchObject({
    message: expect.stringMatching(/^x{8192} … \(19991808 more characters\)$/) as string, details: { left_out: 'details that are not JSON' },
  })
  expect(new SweepmillError('INVARIANT', 'm', { details: { n: 1n } }).toData().details).toEqual({ left_out: 'details that are not JSON' })
  expect(new SweepmillError('INVARIANT', 'm', { details: { long: 'x'.repeat(1e6) } }).toData().details).toEqual({ left_out: '1000011 characters of details' })
  for (const thrown of [Object.create(null), Symbol('s'), 1n, undefined, null, { toString() { throw new Error('no') } }, Object.assign(new Error('m'), { message: 7, stack: 7 }),
    new SweepmillError('NO_SUCH_CODE' as 'INVARIANT', 'from a newer version')]) {
    const data = toSweepmillError(thrown, 'COMPUTE_FAILED').toData()
    expect(data.code).toBe('COMPUTE_FAILED')
    expect(typeof data.message).toBe('string')
    expect(() => JSON.stringify(data)).not.toThrow()
  }
})
