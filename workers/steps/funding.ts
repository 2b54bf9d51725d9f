/** Funding rates from a file. */
import { readRegular } from '../../src/base/regular-file.js'
import { parseFunding } from '../../src/market/read-funding.js'
import type { Step } from '../step.js'

/** Three rates a day: a file of ten years has half a mebibyte. */
const MOST_BYTES = 2 ** 24

/** {file, source} → {funding: [{time, rate}]}, as a spec carries it. */
export const readFunding: Step = ({ input }) => {
  const { file, source } = input as { file: string; source: string }
  const bytes = readRegular(file, 'The file of funding rates', MOST_BYTES)
  return { json: { funding: parseFunding(bytes, source).map(({ timeMs, rate }) => ({ time: new Date(timeMs).toISOString(), rate })) } }
}
