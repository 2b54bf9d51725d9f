/** Lines of a CSV and the fields of one, where speed does not matter: the first lines of a file. */
import { textOf } from './parse-number.js'

const LF = 10
const CR = 13
const SPACE = 32

export interface Line {
  readonly from: number
  /** Behind its last byte that is neither a blank nor a line end. */
  readonly to: number
  readonly next: number
  /** From 1. */
  readonly line: number
}

/** The next line of `bytes[start, stop)` that is not blank. */
export function nextLine(bytes: Uint8Array, start: number, stop: number, firstLine: number): Line | null {
  let line = firstLine
  for (let from = start; from < stop; line += 1) {
    // Of blank lines there may be very many.
    for (; from < stop && bytes[from] === LF; from += 1) line += 1
    if (from >= stop) break
    let end = bytes.indexOf(LF, from)
    if (end < 0 || end > stop) end = stop
    let to = end
    while (to > from && (bytes[to - 1] === CR || bytes[to - 1] === SPACE)) to -= 1
    if (to > from) return { from, to, next: end + 1, line }
    from = end + 1
  }
  return null
}

/** A quoted cell may hold the separator. */
export function cellsOf(line: string, separator: string): string[] {
  const cells: string[] = []
  let cell = ''
  let quoted = false
  for (const character of line) {
    if (character === '"') quoted = !quoted
    else if (character === separator && !quoted) {
      cells.push(cell.trim())
      cell = ''
    } else cell += character
  }
  return [...cells, cell.trim()]
}

const SEPARATORS = [',', ';', '\t', '|']

/** The one that makes the most of a line. */
export function separatorOf(line: string): string {
  return SEPARATORS.reduce((best, one) => (cellsOf(line, one).length > cellsOf(line, best).length ? one : best), ',')
}

/** As UTF-8, or as the older way of writing umlauts where it is not that. */
export function lineText(bytes: Uint8Array, { from, to }: Line): string {
  const text = textOf(bytes, from, to)
  return text.includes('\uFFFD') ? Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1') : text
}
