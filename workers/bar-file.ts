/** A file of bars to columns, whatever its format. */
import { readFileSync } from 'node:fs'
import { SweepmillError } from '../src/base/errors.js'
import { readCsv } from '../src/market/read-csv.js'
import type { ReadBars } from '../src/market/read-csv.js'

/** `source` names it in errors and warnings. Throws FILE_NOT_FOUND, DATA_EMPTY, DATA_FORMAT, DATA_INVALID, DATA_ORDER. */
export function readBars(file: string, source: string): ReadBars {
  let content: Uint8Array
  try {
    content = readFileSync(file)
  } catch (cause) {
    throw new SweepmillError('FILE_NOT_FOUND', `The data file ${file} cannot be read: ${(cause as Error).message}.`, { cause, details: { file } })
  }
  return readCsv(content, source)
}
