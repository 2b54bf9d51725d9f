/** How many units an entry buys or sells (F8). */
import type { ExecutionSpec } from '../specs/execution-spec.js'
import { unitsFor } from './fees.js'
import type { Wallet } from './wallet.js'

/** Relative tolerance of "affordable", "a whole number of lots" and "the least notional": 3 × 0.1 must count as 0.3. */
const ROUNDING = 1e-12
const DUST = 1e-9

export interface EntryOffer {
  readonly wallet: Wallet
  /** Signed; 0 when flat. */
  readonly heldUnits: number
  /** The entry's raw price, and what it costs after spread, slippage and ticks. */
  readonly raw: number
  readonly price: number
  readonly feeRate: number
  /** From the price to the nearer stop, in price; Infinity without a stop. */
  readonly stopDistance: number
}

/** 0 or less, or NaN, is no entry. */
export function entryUnits(e: ExecutionSpec, { wallet, heldUnits, raw, price, feeRate, stopDistance }: EntryOffer): number {
  const { sizing, leverage } = e
  const equity = wallet.cash + wallet.elsewhere + heldUnits * raw
  const affordable = unitsFor(e, equity * leverage - Math.abs(heldUnits) * raw - wallet.exposureElsewhere, price, feeRate)
  const value = sizing.value ?? 0
  let units = affordable
  // Beside what is held already there may be less left than the fraction: then that.
  if (sizing.mode === 'fraction') units = Math.min(unitsFor(e, equity * leverage * value, price, feeRate), affordable)
  else if (sizing.mode === 'cash') units = unitsFor(e, value, price, feeRate)
  else if (sizing.mode === 'units') units = value
  else if (sizing.mode === 'risk') units = stopDistance > 0 ? Math.min((equity * value) / stopDistance, affordable) : 0
  const lot = sizing.wholeUnits ? 1 : sizing.lotSize
  if (lot !== null) {
    const lots = units / lot
    units = Math.floor(lots + Math.abs(lots) * ROUNDING) * lot
  }
  // What is ordered must be affordable, so this comes after the flooring.
  if (units > affordable * (1 + ROUNDING)) return 0
  // Where everything is in the market already, what is left is a rounding error and no lot.
  const held = Math.abs(heldUnits) * raw + wallet.exposureElsewhere
  if (held > 0 && units * price < DUST * equity * leverage) return 0
  return units * price < sizing.minNotional * (1 - ROUNDING) ? 0 : units
}
