/**
 * Port: what is removed once nobody needs it. One implementation speaks Postgres (src/store).
 *
 * Rules are judged against fixed times, so that a cleanup that is resumed, or only looks, decides as the one that
 * began. Nothing of live work is ever named by a rule. Removing goes in batches: one is one transaction, fenced by the
 * attempt that removes, and leaves a checkpoint that counts it.
 */
import type { DeadLetterRecord } from './dead-letters.js'
import type { Writer } from './bar-series.js'

/** In the order in which they are applied: what a rule removes frees what later ones do. */
export const RETENTION_RULES = ['dead_letters', 'tasks', 'chunks', 'checkpoints', 'events', 'datasets', 'blocks', 'sources', 'workers'] as const
export type RetentionRule = (typeof RETENTION_RULES)[number]

/** What is older may go: ISO 8601 UTC; null: it is kept for ever. */
export interface RetentionCutoffs {
  readonly tasks: string | null
  readonly deadLetters: string | null
  readonly chunks: string | null
  readonly checkpoints: string | null
  readonly events: string | null
  /** Datasets last used before. */
  readonly bars: string | null
  /** Blocks and sources that nobody names, stored or found before. */
  readonly unnamed: string | null
  readonly workers: string
}

/** Bytes as they are stored, without indexes. */
export interface RuleCount {
  readonly rule: RetentionRule
  readonly rows: number
  readonly bytes: number
}

export interface RemovedBatch extends RuleCount {
  /** Dead letters among them, which watchers of Redis are shown. */
  readonly letters: readonly Pick<DeadLetterRecord, 'taskId' | 'generation'>[]
}

export interface Retention {
  /** The store's clock: the cutoffs are counted from it. */
  now(): Promise<string>
  /** What `remove` would remove, were it called until nothing is left. */
  count(rule: RetentionRule, cutoffs: RetentionCutoffs): Promise<RuleCount>
  /** One batch, oldest first; no rows: nothing is left that is not in somebody else's hands. */
  remove(rule: RetentionRule, cutoffs: RetentionCutoffs, writer: Writer): Promise<RemovedBatch | 'fenced'>
  /**
   * Drops monthly partitions that are empty and whose month is older than the rule of their table; their names. One that
   * cannot be locked at once is left for the next time.
   */
  dropEmptyPartitions(cutoffs: RetentionCutoffs, writer: Writer): Promise<readonly string[] | 'fenced'>
  /** What this task's batches have removed so far, over all its attempts. */
  removed(taskId: string): Promise<readonly RuleCount[]>
}
