/**
 * What a file that is to be written is, by its name: `.csv`, `.csv.gz`, `.json`, `.json.gz` or `.parquet` of a table, `.html` of
 * a report; `-` is standard output. A name without an ending, a pipe and `-` get CSV, or HTML.
 */
import { basename } from 'node:path'
import { SweepmillError } from '../base/errors.js'
import { CSV } from '../base/table-format.js'
import type { TableFormat } from '../base/table-format.js'

const TABLES: Readonly<Record<string, TableFormat>> = {
  '.csv': CSV, '.csv.gz': { kind: 'csv', gzip: true }, '.json': { kind: 'json', gzip: false }, '.json.gz': { kind: 'json', gzip: true },
  '.parquet': { kind: 'parquet', gzip: false },
}
const REPORTS: Readonly<Record<string, true>> = { '.html': true, '.htm': true }

/** Other names of the same stream. */
const STDOUT: ReadonlySet<string> = new Set(['-', '/dev/stdout', '/dev/fd/1', '/proc/self/fd/1'])

export function isStdout(path: string): boolean {
  return STDOUT.has(path)
}

/** USAGE where the ending is not known. */
export function tableFormatOf(flag: string, path: string): TableFormat {
  return known(flag, path, TABLES, CSV)
}

/** USAGE where the flag does not write such a file. */
export function assertEnding(flag: string, path: string): void {
  known<unknown>(flag, path, flag === '--report' ? REPORTS : TABLES, null)
}

function known<T>(flag: string, path: string, kinds: Readonly<Record<string, T>>, plain: T): T {
  const name = basename(path).toLowerCase()
  // A device or a pipe of the shell has a number, and no ending.
  if (isStdout(path) || !name.slice(1).includes('.')) return plain
  const ending = Object.keys(kinds).toSorted((a, b) => b.length - a.length).find((one) => name.endsWith(one) && name.length > one.length)
  const kind = ending === undefined ? undefined : kinds[ending]
  if (kind === undefined) {
    const found = name.endsWith('.gz') ? (/\.[^.]*\.gz$/.exec(name.slice(1))?.[0] ?? '.gz') : name.slice(name.lastIndexOf('.'))
    throw new SweepmillError('USAGE', `${flag} ${path} ends with ${found}, and the ending says what is written: name a file with ${Object.keys(kinds).join(', ')}, or - for standard output.`, { details: { flag, path } })
  }
  return kind
}
