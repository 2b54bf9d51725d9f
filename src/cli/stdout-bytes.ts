/** Bytes to standard output, at the pace of whoever reads them. A reader that goes away (`| head`) ends the writing, and is no failure. */
import type { Writable } from 'node:stream'
import type { ByteSink } from '../base/table-format.js'

/** Nobody reads any more: what is left need not be made. */
export class ReaderGone extends Error {}

export function bytesTo(stream: Writable): ByteSink {
  let gone = false
  stream.on('error', () => { gone = true })
  return async (bytes) => {
    if (!gone) await new Promise<void>((resolve) => { stream.write(bytes, (error) => { gone ||= error != null; resolve() }) })
    if (gone) throw new ReaderGone()
  }
}
