/**
 * An exchange for tests: answers /v5/market/kline over real HTTP as Bybit does, newest first and at most a thousand, from bars
 * that follow from their time; counts what it was asked for, and misbehaves as told.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const INTERVALS_MS: Readonly<Record<string, number>> = { 1: 60_000, 5: 300_000, 60: 3_600_000, D: 86_400_000 }
const MOST = 1000

/** Once each, in order, before the answer that is right. */
export type Misbehaviour = 'limited_403' | 'limited_code' | 'status_500' | 'truncated' | 'cut' | 'not_json'

export interface BybitOptions {
  /** The exchange's clock; bars that are not closed by then are sent all the same, as the real one does. */
  readonly nowMs?: number
  readonly listedMs?: number
  /** Bars that start in here do not exist. */
  readonly outage?: readonly [fromMs: number, toMs: number]
  /** Bars that start in here are left out of the first answer that should have them. */
  readonly forgets?: readonly [fromMs: number, toMs: number]
  /** Answers every request with the last page that it ever had. */
  readonly repeatsLastPage?: boolean
  /** Every n-th request goes wrong first. */
  readonly misbehaves?: readonly Misbehaviour[]
  readonly delayMs?: number
}

/** Open, high, low, close, volume, turnover of the bar that starts at `time`: no two alike. */
export function barAt(time: number): readonly [number, number, number, number, number, number] {
  const n = time / 60_000
  const open = 20_000 + (n % 997) / 2
  const close = 20_000 + ((n * 7) % 991) / 4
  return [open, Math.max(open, close) + (n % 13), Math.min(open, close) - (n % 11), close, 1 + (n % 101) / 8, 1_000_000 + (n % 4099)]
}

export class BybitServer {
  readonly #server: Server
  readonly #options: BybitOptions
  readonly #misbehaviours: Misbehaviour[]
  readonly #forgotten = new Set<string>()
  /** How often each page was answered with bars, by its first moment. */
  readonly served = new Map<number, number>()
  requests = 0

  private constructor(server: Server, options: BybitOptions) {
    this.#server = server
    this.#options = options
    this.#misbehaviours = [...options.misbehaves ?? []]
  }

  static async start(options: BybitOptions = {}): Promise<BybitServer> {
    const server = createServer()
    const made = new BybitServer(server, options)
    server.on('request', (request, response) => { made.#answer(request, response) })
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
    return made
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => { this.#server.close(resolve) })
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests += 1
    const query = new URL(request.url ?? '', 'http://exchange').searchParams
    const body = (): string => JSON.stringify(this.#page(query))
    const json = (text: string): void => { response.setHeader('content-type', 'application/json').end(text) }
    switch (this.#misbehaviours.shift()) {
      case 'limited_403': response.writeHead(403, { 'retry-after': '0' }).end('access too frequent'); return
      case 'limited_code': json(JSON.stringify({ retCode: 10006, retMsg: 'Too many visits!', result: {}, time: Date.now() })); return
      case 'status_500': response.writeHead(500).end('oops'); return
      case 'truncated': json(body().slice(0, -300)); return
      case 'not_json': json('<html>maintenance</html>'); return
      case 'cut':
        response.writeHead(200, { 'content-length': '100000' })
        response.write(body().slice(0, 400), () => { request.socket.destroy() })
        return
      case undefined: {
        const text = body()
        this.served.set(Number(query.get('start')), (this.served.get(Number(query.get('start'))) ?? 0) + 1)
        setTimeout(() => { json(text) }, this.#options.delayMs ?? 0)
      }
    }
  }

  #page(query: URLSearchParams): object {
    const { nowMs = Date.now(), listedMs = 0, outage, forgets, repeatsLastPage } = this.#options
    if (query.get('symbol') !== 'BTCUSDT') return { retCode: 10001, retMsg: 'Not supported symbols\0', result: {}, time: nowMs }
    const stepMs = INTERVALS_MS[query.get('interval') ?? ''] ?? 60_000
    const limit = Math.min(MOST, Number(query.get('limit') ?? 200))
    const start = Math.max(listedMs, Number(query.get('start')))
    const end = Math.min(repeatsLastPage === true ? nowMs : Number(query.get('end')), nowMs)
    const list: string[][] = []
    for (let time = Math.floor(end / stepMs) * stepMs; time >= (repeatsLastPage === true ? 0 : start) && list.length < limit; time -= stepMs) {
      if (outage !== undefined && time >= outage[0] && time < outage[1]) continue
      if (forgets !== undefined && time >= forgets[0] && time < forgets[1] && !this.#forgotten.has(String(time))) {
        this.#forgotten.add(String(time))
        continue
      }
      const [open, high, low, close, volume, turnover] = barAt(time)
      // An inverse contract counts its volume in dollars and its turnover in coins.
      const sizes = query.get('category') === 'inverse' ? [turnover, volume] : [volume, turnover]
      list.push([time, open, high, low, close, ...sizes].map(String))
    }
    return { retCode: 0, retMsg: 'OK', result: { category: query.get('category'), symbol: 'BTCUSDT', list }, retExtInfo: {}, time: nowMs }
  }
}
