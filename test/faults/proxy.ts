/** A TCP proxy that can swallow: connections stay open, bytes go in and nothing comes out. */
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'

export interface Proxy {
  readonly port: number
  /** What is open now becomes half-open; new connections are served unless `alsoNew`. */
  swallow(alsoNew: boolean): void
  heal(): void
  close(): Promise<void>
}

export async function openProxy(target: { readonly host: string; readonly port: number }): Promise<Proxy> {
  const pairs = new Set<{ readonly client: Socket; readonly server: Socket; swallowed: boolean }>()
  let swallowNew = false
  const listener = createServer((client) => {
    const server = connect(target.port, target.host)
    const pair = { client, server, swallowed: swallowNew }
    pairs.add(pair)
    client.on('data', (bytes) => { if (!pair.swallowed) server.write(bytes) })
    server.on('data', (bytes) => { if (!pair.swallowed) client.write(bytes) })
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
    heal: () => { swallowNew = false },
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
