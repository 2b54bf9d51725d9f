/** The cash of one account, or of several that share it, and what those others hold at the prices of the moment. */
export interface Wallet {
  cash: number
  /** Market value of the positions of other accounts; shorts count negative. */
  elsewhere: number
  /** The same with every position counted positive: what it takes of the power to buy. */
  exposureElsewhere: number
}
