/**
 * A TCP proxy that can swallow (connections stay open, bytes go in and nothing comes out), cut (the answer to what was
 * asked never comes, and the connection ends), and change what a server says.
 */
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'

export interface Proxy {
  readonly port: number
  /** What is open now becomes half-open; new connections are served unless `alsoNew`. */
  swallow(alsoNew: boolean): void
  /** From now on so many pieces of answers come through, and in place of each later one its connection ends. */
  cut(after?: number): void
  /** From now on pieces of answers pass through `change`. */
  change(change: (piece: Buffer) => Buffer): void
  heal(): void
  close(): Promise<void>
}

export async function openProxy(target: { readonly host: string; readonly port: number }): Promise<Proxy> {
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket; swallowed: boolean }>()
  let swallowNew = false
  let change: ((piece: Buffer) => Buffer) | null = null
  let answersLeft: number | null = null
  const listener = createServer((client) => {
    const server = connect(target.port, target.host)
    const pair = { client, server, swallowed: swallowNew }
    pairs.add(pair)
    client.on('data', (bytes) => { if (!pair.swallowed) server.write(bytes) })
    server.on('data', (bytes) => {
      if (pair.swallowed) return
      if (answersLeft !== null && (answersLeft -= 1) < 0) client.destroy()
      else client.write(change === null ? bytes : change(bytes))
    })
    for (const [one, other] of [[client, server], [server, client]] as const) {
      one.on('error', () => undefined)
      one.on('close', () => {
        other.destroy()
        pairs.delete(pair)
      })
    }
  })
  await new Promise<void>((resolve) => { listener.listen(0, '127.0.0.1', resolve) })
  const address = listener.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    swallow: (alsoNew) => {
      swallowNew = alsoNew
      for (const pair of pairs) pair.swallowed = true
    },
    cut: (after = 0) => { answersLeft = after },
    change: (how) => { change = how },
    heal: () => {
      swallowNew = false
      answersLeft = null
      change = null
    },
    close: () => new Promise((resolve) => {
      for (const { client, server } of pairs) { client.destroy(); server.destroy() }
      listener.close(() => resolve())
    }),
  }
}

/** The same URL through the proxy. */
export function through(url: string, proxy: Proxy): string {
  const changed = new URL(url)
  changed.hostname = '127.0.0.1'
  changed.port = String(proxy.port)
  return changed.href
}
