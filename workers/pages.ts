/** Pages of bytes that the main thread hands out over a port, one when it is asked for. */
import { clearInterval, setInterval } from 'node:timers'
import type { MessagePort } from 'node:worker_threads'
import { SweepmillError } from '../src/base/errors.js'
import { stopped } from './step.js'
import type { StepContext } from './step.js'

const ALIVE_EVERY_MS = 500

/** Asks for pages until the end. While it waits (for a disk, or a pipe that nobody reads) it is alive, and stands still. */
async function* pagesOf(port: MessagePort, alive: () => void): AsyncGenerator<readonly Uint8Array[]> {
  for (;;) {
    const waiting = setInterval(alive, ALIVE_EVERY_MS)
    try {
      const page = await new Promise<{ type: 'page'; rows: Uint8Array[] } | { type: 'end' }>((resolve, reject) => {
        port.once('message', resolve)
        port.once('close', () => reject(stopped()))
        port.postMessage({ type: 'next' })
      })
      port.removeAllListeners('close')
      if (page.type === 'end') return
      yield page.rows
    } finally {
      clearInterval(waiting)
    }
  }
}

/** `take` is given each part of a page, `afterPage` comes before the next is asked for, `atEnd` before the port is closed. */
export async function eachPage(context: StepContext, take: (bytes: Uint8Array) => void, afterPage: () => unknown = () => undefined, atEnd: () => unknown = () => undefined): Promise<void> {
  const { port, pulse } = context
  if (port === null) throw new SweepmillError('INVARIANT', 'This step was called without a port.')
  try {
    let pages = 0
    for await (const page of pagesOf(port, () => { pulse.beat(pages, pages + 1) })) {
      for (const bytes of page) take(bytes)
      await afterPage()
      pages += 1
      if (pulse.beat(pages, pages + 1)) throw stopped()
    }
    await atEnd()
  } finally {
    port.close()
  }
}
