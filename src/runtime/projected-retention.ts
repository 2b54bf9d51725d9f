/** Removing by rule, with what watchers of Redis see: a dead letter that is gone leaves the stream `tasks:dlq` too. */
import type { Writer } from '../tasks/bar-series.js'
import type { RemovedBatch, Retention, RetentionCutoffs, RetentionRule, RuleCount } from '../tasks/retention.js'
import { afterCommit } from './after-commit.js'
import type { DeadLetterProjection } from './dead-letter-projection.js'

export class ProjectedRetention implements Retention {
  readonly #store: Retention
  readonly #letters: DeadLetterProjection

  constructor(store: Retention, letters: DeadLetterProjection) {
    this.#store = store
    this.#letters = letters
  }

  now(): Promise<string> { return this.#store.now() }

  count(rule: RetentionRule, cutoffs: RetentionCutoffs): Promise<RuleCount> { return this.#store.count(rule, cutoffs) }

  dropEmptyPartitions(cutoffs: RetentionCutoffs, writer: Writer): Promise<readonly string[] | 'fenced'> { return this.#store.dropEmptyPartitions(cutoffs, writer) }

  removed(taskId: string): Promise<readonly RuleCount[]> { return this.#store.removed(taskId) }

  /** If the process dies before the letters are forgotten, the next comparison with Redis takes them away. */
  async remove(rule: RetentionRule, cutoffs: RetentionCutoffs, writer: Writer): Promise<RemovedBatch | 'fenced'> {
    const batch = await this.#store.remove(rule, cutoffs, writer)
    if (batch !== 'fenced' && batch.letters.length > 0) await afterCommit(() => this.#letters.forget(batch.letters))
    return batch
  }
}
