/** Stored strategies in Postgres. The table may be written to by hand: a row without `strategy` is made of what it is called. */
import type { StoredStrategy, StrategyBook, StrategyDraft } from '../tasks/strategy-book.js'
import type { Postgres } from './postgres.js'

const COLUMNS = 'strategy_id, name, coalesce(strategy, name) as strategy, params, version, source_hash, created_at'

interface Row {
  strategy_id: number; name: string; strategy: string; params: Record<string, number>; version: number; source_hash: string | null; created_at: Date
}

export class PostgresStrategyBook implements StrategyBook {
  readonly #postgres: Postgres

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  /** One transaction, one at a time for a name: versions leave no gap, and the code is there before the row that names it. */
  add({ name, strategy, params, source }: StrategyDraft): Promise<{ stored: StoredStrategy; created: boolean }> {
    return this.#postgres.transaction(async (client) => {
      await client.query("select pg_advisory_xact_lock(hashtext(current_schema() || '.strategies'), hashtext($1))", [name])
      if (source !== null) {
        await client.query(`insert into strategy_sources (source_hash, name, code) values ($1, $2, $3)
          on conflict (source_hash) do update set used_at = now()`, [source.hash, source.name, Buffer.from(source.code)])
      }
      const content = [name, strategy, JSON.stringify(params), source?.hash ?? null]
      const { rows: [same] } = await client.query<Row>(`select ${COLUMNS} from strategies
        where name = $1 and coalesce(strategy, name) = $2 and params = $3::jsonb and source_hash is not distinct from $4 order by version desc limit 1`, content)
      if (same !== undefined) return { stored: toStored(same), created: false }
      const { rows } = await client.query<Row>(`insert into strategies (name, strategy, params, source_hash, version)
        values ($1, $2, $3::jsonb, $4, (select coalesce(max(version), 0) + 1 from strategies where name = $1)) returning ${COLUMNS}`, content)
      return { stored: toStored(rows[0] as Row), created: true }
    })
  }

  async list(): Promise<StoredStrategy[]> {
    return (await this.#postgres.query<Row>(`select ${COLUMNS} from strategies order by name, version desc`)).map(toStored)
  }

  async get(strategyId: number): Promise<StoredStrategy | null> {
    const [row] = await this.#postgres.query<Row>(`select ${COLUMNS} from strategies where strategy_id = $1::int8`, [strategyId])
    return row === undefined ? null : toStored(row)
  }
}

function toStored(row: Row): StoredStrategy {
  return {
    strategyId: row.strategy_id, name: row.name, strategy: row.strategy, params: row.params, version: row.version, sourceHash: row.source_hash,
    createdAt: row.created_at.toISOString(),
  }
}
