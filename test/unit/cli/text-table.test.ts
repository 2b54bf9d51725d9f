/** Tables for people: points below each other, dashes for what is missing. */
import { expect, test } from 'vitest'
import { textTable } from '../../../src/cli/text-table.js'

test('a column of numbers has the same decimals in every row, those that its largest number needs', () => {
  const lines = textTable(['a', 'b', 'c', 'd'], [[0.7, 149.05, 1234.5, 12], [0.000885, 6.0861, null, 1000]]).split('\n').slice(2)
  expect(lines).toEqual(['0.7000  149.050  1,234.50     12', '0.0009    6.086         -  1,000'])
})

test('numbers too small or too large for that are written each by itself', () => {
  expect(textTable(['a'], [[2.5e-7], [0]]).split('\n').slice(2)).toEqual(['2.5000e-7', '        0'])
  expect(textTable(['a'], [[1.5e15]])).toContain('1.5000e+15')
})
