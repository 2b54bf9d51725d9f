/**
 * min, min + step … max as decimals, exactly. A number stands for its shortest decimal, the one that a person wrote:
 * 100000.07 is 10000007 hundredths. Steps are taken in whole units of the last digit, so neither the count nor a
 * value depends on how a double rounds; value k is the double nearest to min + k × step.
 *
 * A number with a fraction and 16 or 17 digits is a result of arithmetic, such as 1/3 or 0.1 + 0.2, and no decimal that
 * somebody means: with one in the range, a step that comes within 1e-9 steps of max meets it.
 */
export interface DecimalRange {
  /** May be as large as the numbers make it; the caller says how much is too much. */
  readonly count: number
  readonly valueAt: (position: number) => number
}

interface Decimal {
  readonly mantissa: bigint
  /** Digits after the point. */
  readonly digits: number
  readonly isComputed: boolean
}

/** `step` is above 0 and `max` is not below `min`. */
export function decimalRange(min: number, max: number, step: number): DecimalRange {
  const numbers = [min, max, step].map(toDecimal) as [Decimal, Decimal, Decimal]
  const digits = Math.max(...numbers.map((one) => one.digits))
  const [first, last, each] = numbers.map((one) => one.mantissa * 10n ** BigInt(digits - one.digits)) as [bigint, bigint, bigint]
  const [minNumber, , stepNumber] = numbers
  const isComputed = numbers.some((one) => one.isComputed)
  const rest = (last - first) % each
  const isJustShort = isComputed && (each - rest) * 1_000_000_000n <= each
  const steps = (last - first) / each + (isJustShort ? 1n : 0n)
  const meetsMax = (minNumber.isComputed || stepNumber.isComputed) && (isJustShort || rest * 1_000_000_000n <= each)
  const exact = stepper(first, each, steps, digits)
  const count = Number(steps) + 1
  return { count, valueAt: meetsMax ? (k) => (k === count - 1 ? max : exact(k)) : exact }
}

/** Powers of ten up to this one are doubles. */
const EXACT_POWER = 22

function stepper(first: bigint, each: bigint, steps: bigint, digits: number): (k: number) => number {
  const isSafe = [first, each, first + steps * each].every((one) => BigInt.asIntN(53, one) === one)
  if (!isSafe || digits > EXACT_POWER) return (k) => Number(`${first + BigInt(k) * each}e-${digits}`)
  // Both sides of the division are exact, so its result is the nearest double.
  const [start, stride, unit] = [Number(first), Number(each), Number(`1e${digits}`)]
  return (k) => (start + k * stride) / unit
}

function toDecimal(value: number): Decimal {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? []
  const digits = fraction.length - Number(exponent)
  const written = BigInt(`${sign}${whole}${fraction}`)
  const significant = `${whole}${fraction}`.replace(/^0+/, '').length
  return {
    mantissa: digits < 0 ? written * 10n ** BigInt(-digits) : written, digits: Math.max(0, digits),
    isComputed: digits > 0 && significant >= 16,
  }
}
