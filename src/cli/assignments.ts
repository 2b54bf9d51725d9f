/**
 * The little languages of the command line: NAME=VALUE, NAME=MIN:MAX:STEP, NAME=A,B,C.
 *
 * They only turn text into the spec's JSON; whether a parameter exists or a range makes sense is judged
 * by the one parser of specs, so that all doors give the same answer. What cannot be read is USAGE.
 */
import { SweepmillError } from '../base/errors.js'

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** The number that a text spells in decimal, or undefined. */
export function numberOf(text: string): number | undefined {
  return NUMBER.test(text.trim()) ? Number(text) : undefined
}

export function splitAssignment(flag: string, text: string): readonly [name: string, value: string] {
  const at = text.indexOf('=')
  const name = text.slice(0, at).trim()
  const value = text.slice(at + 1).trim()
  if (at < 1 || name === '' || value === '') {
    throw new SweepmillError('USAGE', `${flag} "${text}" cannot be read: write NAME=VALUE, such as ${EXAMPLES[flag] ?? 'fast=10'}.`, { details: { flag, value: text } })
  }
  return [name, value]
}

const EXAMPLES: Readonly<Record<string, string>> = {
  '--set': 'fast=10', '--param': 'fast=5:50:1 or fast=5,10,20', '--execution': 'stop_loss=0.05 or sizing.whole_units=true',
}

/** `--set`: parameters of the strategy. */
export function parseSettings(texts: readonly string[]): Record<string, unknown> {
  return collect('--set', texts, scalar)
}

/** `--param`: a range `5:50:1` (the step may be left out) or choices `5,10,20`. */
export function parseSpace(texts: readonly string[]): Record<string, unknown> {
  return collect('--param', texts, (value, text) => {
    if (!value.includes(':')) return { choices: value.split(',').map((part) => scalar(part.trim())) }
    const [min, max, step, ...rest] = value.split(':').map(numberOf)
    const parts = value.split(':').length
    if (min === undefined || max === undefined || (parts > 2 && step === undefined) || rest.length > 0) {
      throw new SweepmillError('USAGE', `--param "${text}" cannot be read: write NAME=MIN:MAX:STEP with numbers, such as fast=5:50:1, or NAME=A,B,C.`,
        { details: { flag: '--param', value: text } })
    }
    return step === undefined ? { min, max } : { min, max, step }
  })
}

/** `--execution`: a key of the spec's `execution`; a dot reaches into it (`sizing.mode=units`). */
export function parseExecution(texts: readonly string[]): Record<string, unknown> {
  const execution: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(collect('--execution', texts, scalar))) {
    const keys = path.split('.')
    let place = execution
    for (const key of keys.slice(0, -1)) {
      const inner = Object.hasOwn(place, key) ? place[key] : undefined
      if (typeof inner === 'object' && inner !== null) place = inner as Record<string, unknown>
      else place = place[key] = {}
    }
    place[keys.at(-1) ?? path] = value
  }
  return execution
}

function collect(flag: string, texts: readonly string[], read: (value: string, text: string) => unknown): Record<string, unknown> {
  const found = new Map<string, unknown>()
  for (const text of texts) {
    const [name, value] = splitAssignment(flag, text)
    if (found.has(name)) throw new SweepmillError('USAGE', `${flag} ${name} is given twice: leave one out.`, { details: { flag, name } })
    found.set(name, read(value, text))
  }
  return Object.fromEntries(found)
}

/** Numbers, true, false and null by their spelling; anything else is text. */
function scalar(text: string): unknown {
  if (text === 'true') return true
  if (text === 'false') return false
  if (text === 'null') return null
  return numberOf(text) ?? text
}
