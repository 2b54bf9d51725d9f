/**
 * A table from a thread into somebody's file: the thread asks for pages, and sends bytes of the format asked for. The next
 * page is only handed out once the file has taken what came of the last, so memory stays at a page. A file may take long, or
 * be a pipe that nobody reads, so it is no work of the highest priority, which may take all threads.
 */
import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import type { ByteSink, TableFormat } from '../base/table-format.js'
import type { ComputePool, ComputeRequest } from '../tasks/compute-pool.js'
import { servePages } from '../workflows/optimization.js'

export interface TableRequest {
  readonly step: string
  readonly input?: Readonly<Record<string, unknown>>
  readonly bytes?: ComputeRequest['bytes']
  readonly pages: AsyncIterable<readonly Uint8Array[]>
}

export async function streamTable(pool: ComputePool, { step, input, bytes, pages }: TableRequest, format: TableFormat, write: ByteSink): Promise<void> {
  const { port1, port2 } = new MessageChannel()
  let writing: Promise<void> = Promise.resolve()
  const come = { messages: 0 }
  port1.on('message', (message: { type: string; bytes?: Uint8Array }) => {
    const part = message.bytes
    if (message.type !== 'bytes' || part === undefined) return
    come.messages += 1
    writing = writing.then(() => write(part))
    // Whoever waits for it learns of it.
    writing.catch(() => undefined)
  })
  const paced = async function* paced(): AsyncGenerator<readonly Uint8Array[]> {
    for await (const page of pages) {
      await writing
      yield page
    }
  }
  try {
    const [reply] = await Promise.all([
      pool.run({ step, input: { ...input, format }, ...(bytes === undefined ? {} : { bytes }), port: port2, priority: 'medium', divisible: false, userCode: false }),
      servePages(port1, paced()),
    ])
    const { sent } = JSON.parse(reply.json) as { sent: number }
    while (come.messages < sent) await once(port1, 'message')
    await writing
  } finally {
    port1.close()
  }
}
