/**
 * Where the isolated margin of a position is used up (F30): margins + gain = maintenance margin of the notional there.
 * Tiers are cut like a tax: each rate holds for the part of the notional within its tier, so the margin needed at a notional
 * N of tier k is N × rate − deduction, with the deduction that makes it continuous. Then one line meets one of another, and
 * exactly one tier holds the notional of its own solution.
 */
import type { MaintenanceTier } from '../specs/perpetual-spec.js'
import type { Lots } from './lots.js'

/** Infinitely far on the losing side where no price uses the margin up. `leverage` is that of every lot. */
export function liquidationPrice(lots: Lots, tiers: readonly MaintenanceTier[], leverage: number): number {
  const side = lots.units > 0 ? 1 : -1
  const units = Math.abs(lots.units)
  // By the unit, not by the position: a price that is 90 by decimals is not moved by the roundings of a product and a sum.
  const entry = lots.entryPrice()
  const margin = entry / leverage
  let deduction = 0
  let lower = 0
  let before = 0
  for (const { upTo, rate } of tiers) {
    deduction += lower * (rate - before)
    // side × (P − entry) + margin = P × rate − deduction ÷ units
    const price = (side * entry - margin - deduction / units) / (side - rate)
    if (units * price <= upTo) return price > 0 ? price : side * -Infinity
    lower = upTo
    before = rate
  }
  return side * -Infinity
}

/** The price at which a position loses its margins to the price and to the fees of its exits: a rate of what is sold, and `fees`. */
export function marginsGonePrice(lots: Lots, feeRate: number, fees: number): number {
  const side = lots.units > 0 ? 1 : -1
  let value = 0
  let margin = 0
  for (const lot of lots) {
    value += lot.units * lot.entryPrice
    margin += lot.margin
  }
  // value − units × P + |units| × P × feeRate + fees = margin
  return (value + fees - margin) / (lots.units * (1 - side * feeRate))
}
