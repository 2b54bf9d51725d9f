/**
 * Port: strategies that were stored under a name, with their parameters and, for a user's own, their code by hash. A row
 * never changes: the same name with other parameters or other code is its next version, so an id means one thing for ever.
 */

export interface StrategySource {
  readonly hash: string
  /** What the code calls itself. */
  readonly name: string
  readonly code: Uint8Array
}

/** Checked, not stored yet. */
export interface StrategyDraft {
  readonly name: string
  /** A built-in's name, or the one in the source. */
  readonly strategy: string
  /** All of them, defaults filled in. */
  readonly params: Readonly<Record<string, number>>
  readonly source: StrategySource | null
}

export interface StoredStrategy extends Omit<StrategyDraft, 'source'> {
  readonly strategyId: number
  /** Counts from 1 within the name. */
  readonly version: number
  readonly sourceHash: string | null
  readonly createdAt: string
}

export interface StrategyBook {
  /** Content that the name had in any version before is that version; `created` is false then. */
  add(draft: StrategyDraft): Promise<{ readonly stored: StoredStrategy; readonly created: boolean }>
  /** By name, latest version first. */
  list(): Promise<readonly StoredStrategy[]>
  get(strategyId: number): Promise<StoredStrategy | null>
}
