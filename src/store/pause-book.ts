/** The table `pauses`. A change rings the bell of every worker in the transaction that makes it. */
import type { PauseBook } from '../tasks/pause-book.js'
import { PRIORITIES } from '../tasks/task.js'
import type { TaskPriority } from '../tasks/task.js'
import { PAUSE_CHANNEL } from './notice-bell.js'
import type { Postgres } from './postgres.js'

export class PostgresPauseBook implements PauseBook {
  readonly #postgres: Postgres

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  async paused(): Promise<readonly TaskPriority[]> {
    const rows = await this.#postgres.prepared<{ priority: string }>('pauses', 'select priority from pauses', [])
    const found = new Set(rows.map((row) => row.priority))
    return PRIORITIES.filter((priority) => found.has(priority))
  }

  async pause(priorities: readonly TaskPriority[]): Promise<readonly TaskPriority[]> {
    await this.#postgres.query(`
      with made as (insert into pauses (priority) select unnest($1::text[]) on conflict do nothing returning priority)
      select pg_notify('${PAUSE_CHANNEL}', priority) from made`, [priorities])
    return this.paused()
  }

  async resume(priorities: readonly TaskPriority[]): Promise<readonly TaskPriority[]> {
    await this.#postgres.query(`
      with ended as (delete from pauses where priority = any($1::text[]) returning priority)
      select pg_notify('${PAUSE_CHANNEL}', priority) from ended`, [priorities])
    return this.paused()
  }
}
