/**
 * Decimal text to double, from bytes, with the same result as `Number(text)`.
 *
 * Fast path: at most 15 significant digits and at most 22 decimals. Mantissa and power of ten are then exact, so
 * one division rounds once, correctly (Clinger 1990). Everything else goes to `Number`.
 */
/** 10⁰ to 10²²: every one of them is exact. */
export const POWERS_OF_TEN: Float64Array = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

const ZERO = 48
const NINE = 57
const DOT = 46
const MINUS = 45

/** NaN for anything but a plain decimal number. */
export function parseNumber(bytes: Uint8Array, from: number, to: number): number {
  let i = from
  const negative = bytes[i] === MINUS
  if (negative) i += 1
  let mantissa = 0
  let significant = 0
  let decimals = 0
  let digits = 0
  let seenDot = false
  for (; i < to; i += 1) {
    const byte = bytes[i]!
    if (byte >= ZERO && byte <= NINE) {
      digits += 1
      if (significant > 0 || byte !== ZERO) significant += 1
      if (significant > 15) return slowNumber(bytes, from, to)
      mantissa = mantissa * 10 + (byte - ZERO)
      if (seenDot) decimals += 1
    } else if (byte === DOT && !seenDot) {
      seenDot = true
    } else {
      return slowNumber(bytes, from, to)
    }
  }
  if (digits === 0) return Number.NaN
  if (decimals > 22) return slowNumber(bytes, from, to)
  const value = decimals === 0 ? mantissa : mantissa / POWERS_OF_TEN[decimals]!
  return negative ? -value : value
}

function slowNumber(bytes: Uint8Array, from: number, to: number): number {
  const text = textOf(bytes, from, to)
  return DECIMAL.test(text) ? Number(text) : Number.NaN
}

export function textOf(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8')
}

const GROUPED = /^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/
const ONE_GROUP = /^[+-]?\d{1,3},\d{3}$/
const SWISS = /^[+-]?\d{1,3}('\d{3})+(\.\d+)?$/
const DECIMAL_COMMA = /^[+-]?(?:\d{1,3}(?:[.' \u00a0]\d{3})+|\d+)(?:,\d+)?$/
const SUFFIX = /^(.*\d)\s?([KMBT])$/i
const POWERS: Readonly<Record<string, number>> = { k: 3, m: 6, b: 9, t: 12 }

export interface NumberSigns {
  /** The sign before decimals. */
  readonly decimal: '.' | ','
  /** In a file whose fields are parted by commas a comma inside of one was quoted, and parts thousands. */
  readonly commasPartFields: boolean
}

/** A number as people write it: $1,234.50, 1'234, 1.2M where `counts` (a volume), 1.234,50 where decimals have a comma. NaN for what is none, or more than one. */
export function writtenNumber(text: string, { decimal, commasPartFields }: NumberSigns, counts: boolean): number {
  const plain = text.trim().replace(/^[$€£¥]\s?/, '').replace(/\s?[$€£¥]$/, '')
  const [, short, suffix = ''] = (counts ? SUFFIX.exec(plain) : null) ?? []
  if (short !== undefined) return Number(`${writtenNumber(short, { decimal, commasPartFields }, false)}e${POWERS[suffix.toLowerCase()]}`)
  if (decimal === ',') return DECIMAL_COMMA.test(plain) ? Number(plain.replaceAll(/[.' \u00a0]/g, '').replace(',', '.')) : Number.NaN
  if (GROUPED.test(plain)) return ONE_GROUP.test(plain) && !commasPartFields ? Number.NaN : Number(plain.replaceAll(',', ''))
  if (SWISS.test(plain)) return Number(plain.replaceAll("'", ''))
  return DECIMAL.test(plain) ? Number(plain) : Number.NaN
}

/** Whether a comma in it could as well be the sign before decimals. */
export function couldBeDecimalComma(text: string): boolean {
  return ONE_GROUP.test(text.trim().replace(/^[$€£¥]\s?/, ''))
}
