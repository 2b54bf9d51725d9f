/** What a fill pays (F7), and how much can be bought with it (F8). */
import type { ExecutionSpec } from '../specs/execution-spec.js'

/** `feeRate` is that of the fill: a limit pays the maker's. */
export function feeOf({ feePerUnit, feeFixed, feeMin }: ExecutionSpec, units: number, notional: number, feeRate: number): number {
  return Math.max(notional * feeRate + units * feePerUnit + feeFixed, feeMin)
}

/**
 * The most units that `budget` pays at this price with their fee. That is the larger of two that grow with the units, so
 * the units are the fewer of what each of the two leaves.
 */
export function unitsFor({ feePerUnit, feeFixed, feeMin }: ExecutionSpec, budget: number, price: number, feeRate: number): number {
  const units = (budget - feeFixed) / (price * (1 + feeRate) + feePerUnit)
  return feeMin > 0 ? Math.min(units, (budget - feeMin) / price) : units
}
