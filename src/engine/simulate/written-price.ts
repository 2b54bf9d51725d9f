/**
 * Levels as a trader would write them, and when a price reaches one (F10). Arithmetic with doubles leaves a few units in
 * the last place, 110 × 1.1 being 121.00000000000001, so a level is rounded to 15 significant digits once, where it is
 * made; that recovers every decimal of up to 15 digits. Rounding by a power of ten costs three operations, text a hundred times that.
 */

/** How far a price may be short of a level, relative: four units in the last place of 1, less than one of the 15th digit. */
const SLACK = 2 ** -50

/** Some roundings of cash and of the value held, relative. */
const RUIN = 2 ** -48

const LEAST = -8
const DECADES = Float64Array.from({ length: 24 }, (_, k) => Number(`1e${k + LEAST}`))
/** What makes the 15th digit of a price of each decade the last one before the point. */
const SCALES = Float64Array.from({ length: 23 }, (_, k) => Number(`1e${14 - k - LEAST}`))
/** The decade of the last price that was rounded, since the next one mostly lies in it too: only a memory, no state. */
let k = 10
let from = 100
let to = 1000
let scale = 1e12

/**
 * The level, rounded to 15 significant digits of itself or of what it was made from, whichever is larger: a level near
 * zero keeps the roundings of its reference. Infinities and NaN stay what they are.
 */
export function written(level: number, reference: number): number {
  const size = Math.max(Math.abs(level), Math.abs(reference))
  if (!(size >= from && size < to) && !findDecade(size)) return byText(level, size)
  return Math.round(level * scale) / scale
}

/** The price from which on the level is reached; `way` is how prices come to it: 1 from below, -1 from above. Prices are above 0. */
export function reachOf(level: number, way: number): number {
  return level * (1 - way * SLACK)
}

export function reaches(price: number, level: number, way: number): boolean {
  return way * price >= way * (level * (1 - way * SLACK))
}

/** Equity that cash and units of opposite signs leave only by rounding counts as none (F16): at most this, beside that much cash. */
export function ruinOf(cash: number): number {
  return Math.abs(cash) * RUIN
}

/** False where the power of ten is one that doubles do not hold. */
function findDecade(size: number): boolean {
  if (!(size >= DECADES[0]! && size < DECADES[23]!)) return false
  while (size < DECADES[k]!) k--
  while (size >= DECADES[k + 1]!) k++
  from = DECADES[k]!
  to = DECADES[k + 1]!
  scale = SCALES[k]!
  return true
}

function byText(level: number, size: number): number {
  if (!Number.isFinite(level) || level === 0) return level
  const exponent = Number(size.toExponential().split('e')[1])
  return exponent > 14 ? Number(level.toPrecision(15)) : Number(level.toFixed(Math.min(100, 14 - exponent)))
}
