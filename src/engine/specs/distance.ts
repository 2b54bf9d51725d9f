/** How far a stop, a target or an order lies from its reference: a fraction of the price, or multiples of the ATR (F21). */
import { z } from 'zod'
import { requireObject, refuseUnknownKeys, specInvalid, show } from './refuse.js'

export interface AtrDistance {
  /** Period of Wilder's ATR, in bars. */
  readonly atr: number
  readonly multiple: number
}

export type Distance = number | AtrDistance

export interface DistanceRange {
  /** Allowed for a fraction. */
  readonly least: number
  readonly below: number
  readonly example: string
}

/** Null for null and for a missing one. Throws SPEC_INVALID. */
export function parseDistance(raw: unknown, path: string, { least, below, example }: DistanceRange): Distance | null {
  if (raw === undefined || raw === null) return null
  if (typeof raw === 'number') {
    if (Number.isFinite(raw) && raw >= least && raw < below && (raw > 0 || least === 0)) return raw
    throw specInvalid(path, `${path} is ${show(raw)}, but a fraction must be ${least === 0 ? 'at least 0' : 'above 0 (use null for none)'} and below ${below} (${example}).`, { value: show(raw) })
  }
  if (typeof raw !== 'object') throw specInvalid(path, `${path} is ${show(raw)}, but must be null, a number (${example}) or {"atr": 14, "multiple": 2}.`, { value: show(raw) })
  const given = requireObject(raw, path)
  refuseUnknownKeys(given, ['atr', 'multiple'], path)
  const atr = z.int().min(1).max(100_000).safeParse(given.atr)
  if (!atr.success) throw specInvalid(`${path}.atr`, `${path}.atr is ${show(given.atr)}, but must be a whole number of bars from 1 to 100000.`)
  const multiple = z.number().gt(0).max(1000).safeParse(given.multiple)
  if (!multiple.success) throw specInvalid(`${path}.multiple`, `${path}.multiple is ${show(given.multiple)}, but must be a number above 0 and at most 1000.`)
  return { atr: atr.data, multiple: multiple.data }
}

/** As it stands in JSON; keys in one order. */
export function distanceToJson(distance: Distance | null): unknown {
  return distance === null || typeof distance === 'number' ? distance : { atr: distance.atr, multiple: distance.multiple }
}
