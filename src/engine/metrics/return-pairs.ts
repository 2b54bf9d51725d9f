/** The returns of the equity beside those of the closes, in one pass: what alpha, beta and the benchmark need. */
import type { ReturnSums } from './return-ratios.js'

export interface ReturnPairs {
  /** Sum of the products of both differences from their means. */
  readonly covariance: number
  /** Sum of squared differences of (return - market) from its mean. */
  readonly activeSquares: number
  /** Sums over the bars on which the market rose, and fell. */
  readonly upOwn: number
  readonly upMarket: number
  readonly downOwn: number
  readonly downMarket: number
}

export function pairReturns(returns: Float64Array, market: Float64Array, own: ReturnSums, other: ReturnSums): ReturnPairs {
  const mean = own.sum / own.count
  const marketMean = other.sum / other.count
  let covariance = 0, activeSquares = 0, upOwn = 0, upMarket = 0, downOwn = 0, downMarket = 0
  for (let k = 0; k < returns.length; k++) {
    const value = returns[k]!
    const move = market[k]!
    covariance += (value - mean) * (move - marketMean)
    const active = value - move - (mean - marketMean)
    activeSquares += active * active
    if (move > 0) {
      upOwn += value
      upMarket += move
    } else if (move < 0) {
      downOwn += value
      downMarket += move
    }
  }
  return { covariance, activeSquares, upOwn, upMarket, downOwn, downMarket }
}

/** Slope, and annual excess as a fraction, of the returns against the market's by least squares. */
export function alphaBeta(own: ReturnSums, market: ReturnSums, { covariance }: ReturnPairs, perYear: number, riskFree: number): { alpha: number; beta: number } {
  if (!(market.squares > 0)) return { alpha: NaN, beta: NaN }
  const beta = covariance / market.squares
  const free = riskFree / perYear
  return { alpha: (own.sum / own.count - free - beta * (market.sum / market.count - free)) * perYear, beta }
}
