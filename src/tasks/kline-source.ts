/** Port: pages of klines from an exchange, as the bytes that it sent. Threads read them; nothing is decoded on the way. */

/** Bars that start in [fromMs, toMs), at most `KlineSource.pageBars` of them. */
export interface KlineRequest {
  /** As the exchange calls its markets, such as linear, spot, inverse. */
  readonly category: string
  readonly symbol: string
  readonly timeframe: string
  readonly fromMs: number
  readonly toMs: number
}

/** `limited`: too many requests, come back after `afterMs`. `again`: it may work next time. */
export type KlineAnswer =
  | { readonly kind: 'body'; readonly bytes: Uint8Array }
  | { readonly kind: 'limited' | 'again'; readonly why: string; readonly afterMs: number | null }

/** What an exchange can be asked for. */
export interface ExchangeOffer {
  readonly name: string
  /** The first is taken where none is named. */
  readonly categories: readonly string[]
  readonly timeframes: readonly string[]
}

export interface KlineSource extends ExchangeOffer {
  readonly pageBars: number
  /** One request. Rejects only with `signal.reason`. */
  page(request: KlineRequest, signal: AbortSignal): Promise<KlineAnswer>
}
