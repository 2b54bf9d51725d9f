/** The exchanges that bars can be had from: what each offers, and the adapters themselves. */
import type { KlineSource } from '../tasks/kline-source.js'
import { BYBIT_CATEGORIES, BYBIT_TIMEFRAMES, BybitKlines } from './bybit.js'

export const EXCHANGE_OFFERS = [{ name: 'bybit', categories: BYBIT_CATEGORIES, timeframes: BYBIT_TIMEFRAMES }] as const

export function openExchanges(config: { readonly bybitUrl: string }): readonly KlineSource[] {
  return [new BybitKlines(config.bybitUrl)]
}
