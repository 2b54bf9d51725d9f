/**
 * Numbers and tables for people. JSON output never passes through here.
 * A column of numbers is aligned right, with the same decimals in every row; a value that is missing is a dash.
 */
export type Cell = string | number | boolean | null | undefined

export function textTable(header: readonly string[], rows: readonly (readonly Cell[])[], indent = ''): string {
  const decimals = header.map((_, column) => decimalsOf(rows.map((row) => row[column])))
  const cells = rows.map((row) => header.map((_, column) => cellText(row[column], decimals[column])))
  const widths = header.map((name, column) => Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)))
  const right = header.map((_, column) => rows.some((row) => typeof row[column] === 'number')
    && rows.every((row) => row[column] === null || row[column] === undefined || typeof row[column] === 'number'))
  const line = (row: readonly string[]): string =>
    (indent + row.map((text, column) => (right[column] === true ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0))).join('  ')).trimEnd()
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n')
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
