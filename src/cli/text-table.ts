/**
 * Numbers and tables for people. JSON output never passes through here.
 * A column of numbers is aligned right, with the same decimals in every row; a value that is missing is a dash.
 */
export type Cell = string | number | boolean | null | undefined

/** What a table may take: a terminal's least width. */
export const TABLE_WIDTH = 80
/** A last column of text is broken into lines of at least this. */
const LEAST_TEXT = 20

/** What the flag does wherever there is one. */
export const WIDE = 'every column, times and hashes in full, however wide'

export interface Fit {
  /** Titles of columns that are left out where they do not fit, the first one first. */
  readonly drop: readonly string[]
  /** True: everything is shown, however wide. */
  readonly wide: boolean
}

/** A table of as many columns as fit; the last line says what `--wide` would show too. */
export function fittedTable(header: readonly string[], rows: readonly (readonly Cell[])[], { drop, wide }: Fit, indent = ''): string {
  const left: string[] = []
  const shown = (): number[] => header.flatMap((title, column) => (left.includes(title) ? [] : [column]))
  const table = (width: number): string => textTable(shown().map((column) => header[column] ?? ''), rows.map((row) => shown().map((column) => row[column])), indent, width)
  if (wide) return table(Infinity)
  for (const title of drop) {
    if (widthOf(table(Infinity)) <= TABLE_WIDTH) break
    left.push(title)
  }
  return left.length === 0 ? table(TABLE_WIDTH) : `${table(TABLE_WIDTH)}\n${indent}--wide shows ${left.join(', ')} too.`
}

function widthOf(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length))
}

/** `2026-12-01T13:44:25.373Z` to the minute; in full where there is room. */
export function shownTime(time: string | null, wide: boolean): string | null {
  return time === null || wide ? time : time.slice(0, 16).replace('T', ' ')
}

/** Enough of a hash to tell two apart. */
export function shownHash(hash: string, wide: boolean): string {
  return wide ? hash : hash.slice(0, 12)
}

export function textTable(header: readonly string[], rows: readonly (readonly Cell[])[], indent = '', width = TABLE_WIDTH): string {
  const decimals = header.map((_, column) => decimalsOf(rows.map((row) => row[column])))
  const cells = rows.map((row) => header.map((_, column) => cellText(row[column], decimals[column])))
  const widths = header.map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)))
  const right = header.map((_, column) => rows.some((row) => typeof row[column] === 'number')
    && rows.every((row) => row[column] === null || row[column] === undefined || typeof row[column] === 'number'))
  const last = header.length - 1
  const before = widths.slice(0, last).reduce((sum, one) => sum + one + 2, indent.length)
  const room = right[last] === true ? Infinity : Math.max(LEAST_TEXT, width - before)
  if ((widths[last] ?? 0) > room) widths[last] = room
  const line = (row: readonly string[]): string => {
    const [first = '', ...more] = broken(row[last] ?? '', room)
    const whole = [...row.slice(0, last), first].map((text, column) => (right[column] === true ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0))).join('  ')
    return [indent + whole, ...more.map((text) => ' '.repeat(before) + text)].map((one) => one.trimEnd()).join('\n')
  }
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n')
}

/** A text in lines of at most `room`, broken between words; a word that is longer stays whole. */
function broken(text: string, room: number): string[] {
  if (text.length <= room) return [text]
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line === undefined || line.length + 1 + word.length > room) lines.push(word)
    else lines[lines.length - 1] = `${line} ${word}`
  }
  return lines
}

/** Two columns, `name  value`, without a header. */
export function textPairs(pairs: readonly (readonly [string, Cell])[], indent = '  '): string {
  const width = Math.max(0, ...pairs.map(([name]) => name.length))
  return pairs.map(([name, value]) => `${indent}${name.padEnd(width)}  ${cellText(value)}`.trimEnd()).join('\n')
}

function cellText(value: Cell, decimals: number | null = null): string {
  if (value === null || value === undefined) return '-'
  if (typeof value !== 'number') return String(value)
  return decimals === null || !Number.isFinite(value) ? formatNumber(value)
    : value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
}

/** What the largest number of a column needs, so that its points stand below each other; null: each by itself. */
function decimalsOf(column: readonly Cell[]): number | null {
  const sizes = column.filter((value) => typeof value === 'number').filter(Number.isFinite).map(Math.abs)
  const largest = Math.max(0, ...sizes)
  if (sizes.every(Number.isInteger) || largest < 0.001 || largest >= 1e9) return null
  return largest >= 1000 ? 2 : largest >= 10 ? 3 : 4
}

/** Whole numbers in full; others with about five significant digits, never in exponents where that can be avoided. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const size = Math.abs(value)
  if (Number.isInteger(value) && size < 1e15) return value.toLocaleString('en-US')
  if (size >= 1e15 || (size < 1e-6 && size > 0)) return value.toPrecision(5)
  const digits = size >= 1000 ? 2 : size >= 10 ? 3 : size >= 0.1 ? 4 : 6
  return value.toLocaleString('en-US', { minimumFractionDigits: Math.min(digits, 2), maximumFractionDigits: digits })
}

export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return '-'
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  const hours = Math.floor(whole / 3600)
  const rest = `${Math.floor((whole % 3600) / 60)} min ${String(whole % 60).padStart(2, '0')} s`
  return hours === 0 ? rest : `${hours} h ${rest}`
}
