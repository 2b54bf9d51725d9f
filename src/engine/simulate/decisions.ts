/**
 * From a strategy's masks to one decision code a bar, the only form the kernel reads.
 *
 * In this order: masks are checked (length, 0 or 1), missing ones are empty; without short masks and with
 * direction `short` or `both` the long ones are mirrored (shortEntry = longExit, shortExit = longEntry); the
 * direction drops the side it does not trade; then conflicts cancel: entry and exit of one side on one bar,
 * and after that a long and a short entry on one bar.
 */
import { SweepmillError } from '../../base/errors.js'
import type { Direction } from '../specs/execution-spec.js'
import type { Mask, Masks } from '../strategies/strategy.js'

export const LONG_ENTRY = 1
export const LONG_EXIT = 2
export const SHORT_ENTRY = 4
export const SHORT_EXIT = 8

const NAMES = ['longEntry', 'longExit', 'shortEntry', 'shortExit'] as const

/** What is left of each of the 16 combinations of the four bits after conflicts cancelled. */
const RESOLVED = Uint8Array.from({ length: 16 }, (_, code) => {
  let left = code
  if ((left & 3) === 3) left &= ~3
  if ((left & 12) === 12) left &= ~12
  if ((left & 5) === 5) left &= ~5
  return left
})

/** Masks as bytes that are 0 or 1; without short ones those are the long ones, mirrored. */
export interface ReadMasks {
  readonly hasShort: boolean
  readonly longEntry: Uint8Array
  readonly longExit: Uint8Array
  readonly shortEntry: Uint8Array
  readonly shortExit: Uint8Array
}

/** What `signals` returned, read; throws STRATEGY_FAILED for masks that cannot be used. */
export function readMasks(masks: Masks, length: number, strategy: string): ReadMasks {
  if (typeof masks !== 'object' || masks === null) throw unusable(strategy, 'signals returned no object of masks')
  if ('then' in masks) throw unusable(strategy, 'signals is asynchronous; return the masks at once, without async and await')
  for (const key of Object.keys(masks)) {
    if (!(NAMES as readonly string[]).includes(key)) throw unusable(strategy, `signals returned an unknown mask "${key}" (known: ${NAMES.join(', ')})`)
  }
  if (NAMES.every((name) => masks[name] === undefined)) throw unusable(strategy, `signals returned none of the masks ${NAMES.join(', ')}`)
  const hasShort = masks.shortEntry !== undefined || masks.shortExit !== undefined
  const longEntry = column(masks, 'longEntry', length, strategy)
  const longExit = column(masks, 'longExit', length, strategy)
  return {
    hasShort, longEntry, longExit,
    shortEntry: hasShort ? column(masks, 'shortEntry', length, strategy) : longExit,
    shortExit: hasShort ? column(masks, 'shortExit', length, strategy) : longEntry,
  }
}

/** Writes the decisions of bars 0..length-1 into `out`; throws STRATEGY_FAILED for masks that cannot be used. */
export function decide(masks: Masks, length: number, direction: Direction, strategy: string, out: Uint8Array): void {
  const { hasShort, longEntry, longExit, shortEntry, shortExit } = readMasks(masks, length, strategy)
  const keep = kept(direction)
  // Decisions are rare: four bars at a time, and mostly nothing to do for all four.
  const words = length >> 2
  const le = wordsOf(longEntry, words)
  const lx = wordsOf(longExit, words)
  const se = hasShort ? wordsOf(shortEntry, words) : lx
  const sx = hasShort ? wordsOf(shortExit, words) : le
  out.fill(0, 0, length)
  for (let w = 0; w < words; w++) {
    if ((le[w]! | lx[w]! | se[w]! | sx[w]!) !== 0) {
      const i = w * 4
      combine(longEntry, longExit, shortEntry, shortExit, keep, i, i + 4, out)
    }
  }
  combine(longEntry, longExit, shortEntry, shortExit, keep, words * 4, length, out)
}

/** One decision from the bits that `onBar` set: mirrored unless it `hasShort`, then as masks are. */
export function resolveDecision(bits: number, hasShort: boolean, direction: Direction): number {
  const all = hasShort ? bits : (bits & 3) | ((bits & LONG_EXIT) << 1) | ((bits & LONG_ENTRY) << 3)
  return RESOLVED[all & kept(direction)]!
}

function kept(direction: Direction): number {
  return direction === 'both' ? 15 : direction === 'long' ? 3 : 12
}

function combine(longEntry: Uint8Array, longExit: Uint8Array, shortEntry: Uint8Array, shortExit: Uint8Array, keep: number, from: number, to: number, out: Uint8Array): void {
  for (let i = from; i < to; i++) {
    const code = (longEntry[i]! | (longExit[i]! << 1) | (shortEntry[i]! << 2) | (shortExit[i]! << 3)) & keep
    out[i] = RESOLVED[code]!
  }
}

/** Four bytes a word; a mask that does not begin on a word's boundary is copied. */
function wordsOf(mask: Uint8Array, words: number): Uint32Array {
  const aligned = mask.byteOffset % 4 === 0 ? mask : mask.slice()
  return new Uint32Array(aligned.buffer, aligned.byteOffset, words)
}

/** The mask as bytes that are 0 or 1. */
function column(masks: Masks, name: typeof NAMES[number], length: number, strategy: string): Uint8Array {
  const mask: Mask | undefined = masks[name]
  if (mask === undefined) return new Uint8Array(length)
  const arrayLike: unknown = mask
  const isList = Array.isArray(arrayLike) || (ArrayBuffer.isView(arrayLike) && !(arrayLike instanceof DataView))
  if (!isList) throw unusable(strategy, `${name} is not an array; return a Uint8Array of one 0 or 1 a bar`)
  if (mask.length !== length) throw unusable(strategy, `${name} has ${mask.length} values for ${length} bars`)
  if (mask instanceof Uint8Array) {
    const words = length >> 2
    let seen = 0
    const view = wordsOf(mask, words)
    for (let w = 0; w < words; w++) seen |= view[w]!
    for (let i = words * 4; i < length; i++) seen |= mask[i]!
    if ((seen & ~0x01010101) === 0) return mask
  }
  return Uint8Array.from({ length }, (_, i) => {
    const value: unknown = mask[i]
    if (value === 1 || value === true) return 1
    if (value === 0 || value === false) return 0
    throw unusable(strategy, `${name} is ${String(value)} on bar ${i}, but a mask holds 0 or 1`)
  })
}

function unusable(strategy: string, message: string): SweepmillError {
  return new SweepmillError('STRATEGY_FAILED', `The strategy "${strategy}" cannot be run: ${message}.`, { details: { strategy } })
}
