/** docs/indicators.md lists the members of `ta`, no more and no less, with the facts that the other tests hold the code to. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packageRoot } from '../../../src/base/package-root.js'
import { ta } from '../../../src/engine/index.js'
import { INDICATOR_FACTS } from '../../../src/engine/indicators/indicator-facts.js'
import type { ColumnIndicator } from '../../../src/engine/indicators/indicators.js'
import { argumentsOf, draws, mapInputs, whole } from '../../property/engine-indicators.js'
import { walk } from './indicators-walk.js'

const text = readFileSync(join(packageRoot, 'docs', 'indicators.md'), 'utf8')
const rows = [...text.matchAll(/^\| `(\w+)\(([^)]*)\)` \| (.+) \| `([^`]+)` \| (yes|no) \| (.+) \|$/gm)]
  .map(([, name = '', args = '', outputs = '', firstBar = '', unstable = '', definition = '']) => ({ name, args, outputs, firstBar, unstable, definition }))
const masks = [...text.matchAll(/^\| `(cross\w+)\(a, b\)` \| /gm)].map(([, name = '']) => name)

/** Whole-number arithmetic as the table writes it: names, numbers, + - *, brackets, max, floor and sqrt. */
function evaluate(expression: string, values: Readonly<Record<string, number>>): number {
  const tokens = expression.match(/\w+|[-+*(),]/g) ?? []
  let at = 0
  const list = (): number[] => {
    const found = [sum()]
    while (tokens[at] === ',') { at++; found.push(sum()) }
    at++ // the closing bracket
    return found
  }
  const atom = (): number => {
    const token = tokens[at++] ?? ''
    if (token === '(') return list()[0]!
    if (tokens[at] === '(') {
      at++
      const inner = list()
      const known: Readonly<Record<string, (values: readonly number[]) => number>> = {
        max: (numbers) => Math.max(...numbers), floor: ([x = NaN]) => Math.floor(x), sqrt: ([x = NaN]) => Math.sqrt(x),
      }
      return known[token]?.(inner) ?? NaN
    }
    return values[token] ?? Number(token)
  }
  const product = (): number => {
    let value = atom()
    while (tokens[at] === '*') { at++; value *= atom() }
    return value
  }
  const sum = (): number => {
    let value = product()
    while (tokens[at] === '+' || tokens[at] === '-') value += tokens[at++] === '+' ? product() : -product()
    return value
  }
  const value = sum()
  if (at !== tokens.length) throw new Error(`cannot read ${expression}`)
  return value
}

test('the page lists exactly the members of ta', () => {
  expect([...rows.map(({ name }) => name), ...masks].sort()).toEqual(Object.keys(ta).sort())
})

test.each(rows)('$name', ({ name, args, outputs, firstBar, unstable, definition }) => {
  const facts = INDICATOR_FACTS[name as ColumnIndicator]
  expect(args.split(', ')).toEqual([...facts.inputs, ...facts.parameters.map((parameter) => parameter.name)])
  expect(outputs).toBe(facts.outputs.length === 0 ? '–' : facts.outputs.map((output) => `\`${output}\``).join(' '))
  expect(unstable).toBe(facts.unstable ? 'yes' : 'no')
  expect(definition.length).toBeGreaterThan(5)
  fc.assert(fc.property(draws, (drawn) => {
    const values = argumentsOf(name as ColumnIndicator, drawn)
    const named = Object.fromEntries(facts.parameters.map((parameter, k) => [parameter.name, values[k]!]))
    expect(evaluate(firstBar, named)).toBe(facts.firstBar(...values))
  }), { numRuns: 50 })
})

test('an unstable indicator depends on where the data begins, a stable one does not', () => {
  const bars = walk(200)
  const cumulative = ['obv', 'ad', 'anchoredVwap', 'vwap'] // their level is that of their start, for good
  for (const name of Object.keys(INDICATOR_FACTS) as ColumnIndicator[]) {
    if (cumulative.includes(name)) continue
    const { unstable, firstBar, parameters } = INDICATOR_FACTS[name]
    const args = parameters.map(({ usual }) => usual)
    const late = whole(name, mapInputs(bars, (column) => column.slice(20)), args)
    const differs = Object.entries(whole(name, bars, args)).some(([output, column]) => {
      const [a, b] = [column[20 + firstBar(...args)]!, late[output]![firstBar(...args)]!]
      return Math.abs(a - b) > 1e-9 * Math.max(1, Math.abs(a))
    })
    expect([name, differs]).toEqual([name, unstable])
  }
})
