/** What a check of a strategy found: plain JSON, in the order in which it was looked for. */
export type CheckName = 'schema' | 'determinism' | 'look_ahead' | 'warm_up'

export interface CheckFinding {
  readonly check: CheckName
  /** Null: not looked for, because of what was found before. */
  readonly passed: boolean | null
  /** One sentence; of a failure it names the first bar and mask where there is one. */
  readonly message: string
  readonly mask?: string
  readonly bar?: number
  readonly time?: string
  /** The decision as it was, and as it became: 0 or 1. */
  readonly from?: number
  readonly to?: number
  /** The first indicator that changed; null for a column that the strategy made itself. */
  readonly indicator?: string | null
  readonly [figure: string]: unknown
}

export interface StrategyCheck {
  /** Null when the file is no strategy. */
  readonly strategy: string | null
  readonly params: Readonly<Record<string, number>>
  readonly bars: number
  readonly passed: boolean
  readonly checks: readonly CheckFinding[]
  readonly warnings: readonly string[]
}
