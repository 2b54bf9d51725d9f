/** Funding rates from a file. */
import { readFileSync } from 'node:fs'
import { SweepmillError } from '../../src/base/errors.js'
import { parseFunding } from '../../src/market/read-funding.js'
import type { Step } from '../step.js'

/** {file, source} → {funding: [{time, rate}]}, as a spec carries it. */
export const readFunding: Step = ({ input }) => {
  const { file, source } = input as { file: string; source: string }
  let bytes: Uint8Array
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    throw new SweepmillError('FILE_NOT_FOUND', `The file of funding rates ${file} cannot be read: ${(cause as Error).message}.`, { cause, details: { file } })
  }
  return { json: { funding: parseFunding(bytes, source).map(({ timeMs, rate }) => ({ time: new Date(timeMs).toISOString(), rate })) } }
}
