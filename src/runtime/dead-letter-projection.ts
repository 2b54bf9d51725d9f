/**
 * Keeps the stream `tasks:dlq` in agreement with the rows that are dead letters.
 *
 * A letter is written when its entry is settled, after the commit; a process that dies in between leaves one out, one
 * that dies in a redrive leaves one too many. The full comparison with Redis mends both. In between, a letter may be
 * missing or stand twice: who needs the truth asks Postgres.
 */
import { isTaskId } from '../base/ids.js'
import type { DeadLetterDesk, DeadLetterRecord } from '../tasks/dead-letters.js'
import type { DeadLetterFeed, ShownLetter } from '../tasks/task-stream.js'

/** Watchers of Redis are shown at most so many of those that it forgot: the newest. */
const RESTORED_AT_MOST = 1000

export class DeadLetterProjection {
  readonly #feed: DeadLetterFeed
  readonly #desk: DeadLetterDesk

  constructor(feed: DeadLetterFeed, desk: DeadLetterDesk) {
    this.#feed = feed
    this.#desk = desk
  }

  /** Removes the letters of these generations and older ones; a later failure of the same task stays. */
  async forget(letters: readonly Pick<DeadLetterRecord, 'taskId' | 'generation'>[]): Promise<void> {
    if (letters.length === 0) return
    const until = new Map(letters.map(({ taskId, generation }) => [taskId, generation]))
    for await (const page of this.#feed.pages()) {
      await this.#feed.remove(page.filter(({ taskId, generation }) => generation <= (until.get(taskId) ?? -1)))
    }
  }

  /** Takes away what is no dead letter any more or stands twice, and shows what is missing; page by page, until `signal`. */
  async restore(signal: AbortSignal): Promise<void> {
    const shown = new Set<string>()
    for await (const page of this.#feed.pages()) {
      if (signal.aborted) return
      const known = page.filter(isOfATask)
      if (known.length === 0) continue
      const rows = await this.#desk.list({ taskIds: known.map(({ taskId }) => taskId), limit: known.length })
      const standing = new Set(rows.map(keyOf))
      await this.#feed.remove(known.filter((letter) => {
        const key = keyOf(letter)
        if (!standing.has(key) || shown.has(key)) return true
        shown.add(key)
        return false
      }))
    }
    if (signal.aborted) return
    const newest = await this.#desk.list({ limit: RESTORED_AT_MOST })
    await this.#feed.add(newest.filter((letter) => !shown.has(keyOf(letter))).toReversed())
  }
}

/** Bytes without a row, or of a row that goes on without them, have generation 0: the table `quarantine` keeps them. */
function isOfATask({ taskId, generation }: ShownLetter): boolean {
  return generation > 0 && isTaskId(taskId)
}

function keyOf({ taskId, generation }: Pick<DeadLetterRecord, 'taskId' | 'generation'>): string {
  return `${taskId} ${generation}`
}
