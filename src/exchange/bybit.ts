/**
 * Klines of Bybit (v5): one GET a page, with the global fetch of Node. What the answer says is read in a thread
 * (workers/steps/klines.ts); here only the transport is judged: status, length, time.
 */
import { SweepmillError } from '../base/errors.js'
import type { KlineAnswer, KlineRequest, KlineSource } from '../tasks/kline-source.js'

/** By our names of timeframes. */
const INTERVALS: Readonly<Record<string, string>> = {
  '1m': '1', '3m': '3', '5m': '5', '15m': '15', '30m': '30', '1h': '60', '2h': '120', '4h': '240', '6h': '360', '12h': '720', '1d': 'D', '1w': 'W',
}
export const BYBIT_TIMEFRAMES = Object.keys(INTERVALS)
export const BYBIT_CATEGORIES = ['linear', 'spot', 'inverse'] as const

const PAGE_BARS = 1000
const TIMEOUT_MS = 15_000
/** A thousand klines are about 100 KiB. */
const MOST_BYTES = 4 * 2 ** 20

export class BybitKlines implements KlineSource {
  readonly name = 'bybit'
  readonly categories = BYBIT_CATEGORIES
  readonly timeframes = BYBIT_TIMEFRAMES
  readonly pageBars = PAGE_BARS
  readonly #baseUrl: URL
  readonly #headers: Readonly<Record<string, string>>

  /** A name and a password in the address (a proxy that asks for them) travel in a header: fetch refuses such an address, and says it whole. */
  constructor(baseUrl: string) {
    const { username, password } = this.#baseUrl = new URL(baseUrl)
    const credentials = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')
    this.#headers = { accept: 'application/json', ...(username === '' && password === '' ? {} : { authorization: `Basic ${credentials}` }) }
    this.#baseUrl.username = this.#baseUrl.password = ''
  }

  async page({ category, symbol, timeframe, fromMs, toMs }: KlineRequest, signal: AbortSignal): Promise<KlineAnswer> {
    const interval = INTERVALS[timeframe]
    if (interval === undefined) throw new SweepmillError('INVARIANT', `Bybit has no klines of ${timeframe}.`)
    const url = new URL('/v5/market/kline', this.#baseUrl)
    // `end` is the start of the last bar, itself included.
    url.search = new URLSearchParams({ category, symbol, interval, start: String(fromMs), end: String(toMs - 1), limit: String(PAGE_BARS) }).toString()
    try {
      const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]), headers: this.#headers })
      if (response.status === 403 || response.status === 429) {
        await response.body?.cancel()
        return { kind: 'limited', why: `status ${response.status}`, afterMs: waitOf(response.headers) }
      }
      if (!response.ok) {
        await response.body?.cancel()
        return { kind: 'again', why: `status ${response.status}`, afterMs: null }
      }
      const bytes = await bodyOf(response)
      return bytes === null ? { kind: 'again', why: `an answer of more than ${MOST_BYTES} bytes`, afterMs: null } : { kind: 'body', bytes }
    } catch (error) {
      signal.throwIfAborted()
      return { kind: 'again', why: reasonOf(error), afterMs: null }
    }
  }
}

/** Null when it is longer than an answer can be. */
async function bodyOf(response: Response): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of response.body ?? []) {
    parts.push(part as Uint8Array)
    length += (part as Uint8Array).length
    if (length > MOST_BYTES) return null
  }
  return Buffer.concat(parts, length)
}

/** What stands in a URL need not be an encoding. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Seconds of Retry-After, or the time at which Bybit's limit is reset. */
function waitOf(headers: Headers): number | null {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, 60_000) : null
}

/** fetch says only "fetch failed"; why is in its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { code?: string; message?: string } }
  return cause?.code ?? cause?.message ?? message ?? String(error)
}
