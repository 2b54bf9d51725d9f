/** The stream `tasks:dlq`: what watchers of Redis see of dead letters. A projection; the rows are the truth. */
import type { Redis } from 'ioredis'
import type { DeadLetter, DeadLetterFeed, ShownLetter } from '../tasks/task-stream.js'
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

  async *pages(): AsyncGenerator<readonly ShownLetter[]> {
    for (let after = '-'; ;) {
      const page = await this.#redis.xrange(this.#key, after, '+', 'COUNT', AT_ONCE).catch(transient)
      yield page.map(([entryId, fields]) => ({ entryId, taskId: valueOf(fields, 'task_id'), generation: Number(valueOf(fields, 'generation')) }))
      const last = page.at(-1)
      if (last === undefined || page.length < AT_ONCE) return
      after = `(${last[0]}`
    }
  }

  async remove(letters: readonly ShownLetter[]): Promise<void> {
    if (letters.length > 0) await this.#redis.xdel(this.#key, ...letters.map((letter) => letter.entryId)).catch(transient)
  }
}

function valueOf(fields: readonly string[], name: string): string {
  const at = fields.indexOf(name)
  return at < 0 ? '' : fields[at + 1] ?? ''
}

/** The fields of an entry: each readable by itself, and `letter`, all of it as JSON. docs/dead-letters.md lists them. */
export function letterFields(letter: DeadLetter): string[] {
  const { stack: _stack, ...error } = letter.error
  return [
    'task_id', letter.taskId, 'task_type', letter.taskType, 'priority', letter.priority, 'reason', letter.reason,
    'error_code', error.code, 'error', error.message, 'attempts', String(letter.attempts), 'generation', String(letter.generation),
    'input_hash', letter.inputHash ?? '', 'message_id', letter.messageId ?? '',
    'first_failure', letter.firstFailureAt ?? '', 'last_failure', letter.lastFailureAt ?? '', 'letter', JSON.stringify({ ...letter, error }),
  ]
}
