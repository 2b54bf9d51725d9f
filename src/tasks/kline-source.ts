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

export interface KlineSource {
  readonly name: string
  readonly pageBars: number
  /** One request. Rejects only with `signal.reason`. */
  page(request: KlineRequest, signal: AbortSignal): Promise<KlineAnswer>
}
