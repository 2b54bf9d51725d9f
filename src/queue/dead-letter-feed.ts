/** The stream `tasks:dlq`: what watchers of Redis see of dead letters. A projection; the rows are the truth. */
import type { Redis } from 'ioredis'
import type { DeadLetter, DeadLetterFeed } from '../tasks/task-stream.js'
import { transient } from './transient.js'

const AT_ONCE = 1000

export class RedisDeadLetterFeed implements DeadLetterFeed {
  readonly #redis: Redis
  readonly #key: string

  constructor(redis: Redis, key: string) {
    this.#redis = redis
    this.#key = key
  }

  count(): Promise<number> {
    return this.#redis.xlen(this.#key).catch(transient)
  }

  async add(letters: readonly DeadLetter[]): Promise<void> {
    for (const letter of letters) await this.#redis.xadd(this.#key, '*', ...letterFields(letter)).catch(transient)
  }

  async remove(taskIds: readonly string[]): Promise<void> {
    const wanted = new Set(taskIds)
    for (let after = '-'; ;) {
      const page = await this.#redis.xrange(this.#key, after, '+', 'COUNT', AT_ONCE).catch(transient)
      const gone = page.filter(([, fields]) => wanted.has(fields[fields.indexOf('task_id') + 1] ?? '')).map(([id]) => id)
      if (gone.length > 0) await this.#redis.xdel(this.#key, ...gone).catch(transient)
      const last = page.at(-1)
      if (last === undefined || page.length < AT_ONCE) return
      after = `(${last[0]}`
    }
  }
}

/** The fields of an entry: each readable by itself, and `letter`, all of it as JSON. */
export function letterFields(letter: DeadLetter): string[] {
  const { stack: _stack, ...error } = letter.error
  return [
    'task_id', letter.taskId, 'task_type', letter.taskType, 'priority', letter.priority, 'reason', letter.reason,
    'error_code', error.code, 'error', error.message, 'attempts', String(letter.attempts), 'generation', String(letter.generation),
    'first_failure', letter.firstFailureAt ?? '', 'last_failure', letter.lastFailureAt ?? '', 'letter', JSON.stringify({ ...letter, error }),
  ]
}
