/**
 * Rows of the common kind (bare decimal numbers and nothing else), read in one walk over their bytes. It reports nothing:
 * a row that holds anything unusual is left to `CsvReader`, which reads every row with the same result and says what is
 * wrong with it. Cost: about 25 ns a field.
 */
import { canBeBar } from './check-rows.js'
import type { CsvFormat } from './csv-format.js'
import type { GrowingColumns } from './growing-columns.js'
import type { FieldName } from './column-names.js'
import { POWERS_OF_TEN } from './parse-number.js'
import { parseTimeOfDay } from './time-of-day.js'

const LF = 10
const CR = 13
const QUOTE = 34
const ZERO = 48
/** A mantissa of so many digits is exact in a double, whatever the digits are. */
const EXACT_DIGITS = 15
/** So few are a date at most. */
const DATE_DIGITS = 8

/** Place of each column among the slots of a row. */
const SLOTS: readonly FieldName[] = ['time', 'open', 'high', 'low', 'close', 'volume', 'adjclose', 'clock']
const TIME = 0
const CLOCK = 7
const IGNORED = -1
const TICKER = -2

export class PlainRows {
  readonly #separator: number
  readonly #slots: Int8Array
  readonly #hasAdjclose: boolean
  readonly #hasClock: boolean
  /** The sign before decimals. */
  readonly #point: number
  readonly #times: CsvFormat['times']
  readonly #ticker: Uint8Array
  readonly #row = new Float64Array(SLOTS.length)

  constructor({ separator, fields, hasAdjclose, decimal, times, ticker }: CsvFormat) {
    this.#separator = separator
    this.#slots = Int8Array.from(fields, (name) => (name === null ? IGNORED : name === 'ticker' ? TICKER : SLOTS.indexOf(name)))
    this.#hasAdjclose = hasAdjclose
    this.#hasClock = fields.includes('clock')
    this.#point = decimal.charCodeAt(0)
    this.#times = times
    this.#ticker = new TextEncoder().encode(ticker ?? '')
  }

  /**
   * Reads rows of `bytes[from, stop)`, which ends with a line end, for as long as they are plain and there is room for
   * them; `line` is the number of the first. Returns where the first row begins that was not read.
   */
  read(bytes: Uint8Array, from: number, stop: number, line: number, into: GrowingColumns): number {
    const { time, open, high, low, close, volume, adjclose } = into.columns
    const { lines, capacity } = into
    const row = this.#row
    const hasAdjclose = this.#hasAdjclose
    const hasClock = this.#hasClock
    const offset = line - into.count
    let count = into.count
    let at = from
    while (at < stop && count < capacity) {
      const next = this.#readRow(bytes, at)
      if (next < 0) break
      const o = row[1]!, h = row[2]!, l = row[3]!, c = row[4]!, v = row[5]!
      if (!canBeBar(o, h, l, c, v) || (hasAdjclose && !(row[6]! > 0))) break
      time[count] = hasClock ? row[TIME]! + row[CLOCK]! : row[TIME]!
      open[count] = o
      high[count] = h
      low[count] = l
      close[count] = c
      volume[count] = v
      if (hasAdjclose) adjclose[count] = row[6]!
      lines[count] = offset + count
      count += 1
      at = next
    }
    into.count = count
    return at
  }

  /** Where the next row begins, or -1 for a row that is not plain. */
  #readRow(bytes: Uint8Array, start: number): number {
    const slots = this.#slots
    const row = this.#row
    const separator = this.#separator
    const point = this.#point
    const { ofNumber } = this.#times
    const last = slots.length - 1
    let at = start
    for (let field = 0; ; field += 1) {
      const slot = slots[field]!
      const first = at
      let byte = bytes[at]!
      if (slot === IGNORED) {
        while (byte !== separator && byte !== LF && byte !== QUOTE) byte = bytes[++at]!
      } else if (slot === CLOCK) {
        while (byte !== separator && byte !== LF && byte !== CR) byte = bytes[++at]!
        const clock = parseTimeOfDay(bytes, first, at)
        if (!Number.isFinite(clock)) return -1
        row[CLOCK] = clock
      } else if (slot === TICKER) {
        const ticker = this.#ticker
        for (let k = 0; k < ticker.length; k += 1) if (bytes[at + k] !== ticker[k]) return -1
        at += ticker.length
        byte = bytes[at]!
        if (byte !== separator && byte !== LF && byte !== CR) return -1
      } else {
        let value = 0
        let digit = byte - ZERO
        while (digit >= 0 && digit <= 9) {
          value = value * 10 + digit
          byte = bytes[++at]!
          digit = byte - ZERO
        }
        let digits = at - first
        if (byte === point) {
          const decimals = ++at
          byte = bytes[at]!
          digit = byte - ZERO
          while (digit >= 0 && digit <= 9) {
            value = value * 10 + digit
            byte = bytes[++at]!
            digit = byte - ZERO
          }
          digits += at - decimals
          value /= POWERS_OF_TEN[at - decimals]!
        }
        if (slot === TIME) {
          if (digits === at - first && digits > DATE_DIGITS && digits <= EXACT_DIGITS && byte === separator && ofNumber !== null) value = ofNumber(value)
          else {
            while (byte !== separator && byte !== LF && byte !== CR) byte = bytes[++at]!
            value = this.#times.parse(bytes, first, at)
          }
          if (!Number.isFinite(value)) return -1
        } else if (digits === 0 || digits > EXACT_DIGITS) return -1
        row[slot] = value
      }
      if (field < last) {
        if (byte !== separator) return -1
      } else {
        if (byte === CR) byte = bytes[++at]!
        return byte === LF ? at + 1 : -1
      }
      at += 1
    }
  }
}
