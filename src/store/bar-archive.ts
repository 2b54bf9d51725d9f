/**
 * Datasets, bar blocks and strategy sources in Postgres. Everything is keyed by its content and never changes; only when
 * it was stored or found last is noted (`used_at`), so that a cleanup leaves alone what a task is about to name. Whoever
 * finds a row that is being removed waits for that, and then finds none.
 */
import type { BarArchive, DatasetRecord, StoredBlock } from '../tasks/bar-archive.js'
import { readBlocks, writeBlocks } from './block-rows.js'
import type { Postgres } from './postgres.js'

export class PostgresBarArchive implements BarArchive {
  readonly #postgres: Postgres

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  async has(dataHash: string): Promise<boolean> {
    const rows = await this.#postgres.query('update datasets set used_at = now() where data_hash = $1 returning 1', [dataHash])
    return rows.length > 0
  }

  /** Blocks first, then the dataset that names them, in one transaction: a dataset never lacks a block. */
  async save(dataset: DatasetRecord, blocks: readonly StoredBlock[]): Promise<void> {
    await writeBlocks(this.#postgres, blocks, async (client) => {
      await client.query(`
        insert into datasets (data_hash, source, bars, first_time, last_time, size_bytes, blocks, warnings)
        values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb) on conflict (data_hash) do update set used_at = now()`,
      [dataset.dataHash, dataset.source, dataset.bars, dataset.firstTime, dataset.lastTime, dataset.sizeBytes,
        dataset.blocks, JSON.stringify(dataset.warnings)])
    })
  }

  async dataset(dataHash: string): Promise<DatasetRecord | null> {
    const [row] = await this.#postgres.query<{
      source: string; bars: number; first_time: Date; last_time: Date; size_bytes: number; blocks: string[]; warnings: string[]
    }>('select source, bars, first_time, last_time, size_bytes, blocks, warnings from datasets where data_hash = $1', [dataHash])
    return row === undefined ? null : {
      dataHash, source: row.source, bars: row.bars, firstTime: row.first_time.toISOString(), lastTime: row.last_time.toISOString(),
      sizeBytes: row.size_bytes, warnings: row.warnings, blocks: row.blocks,
    }
  }

  async blocks(dataset: DatasetRecord): Promise<Uint8Array[] | null> {
    const blocks = await readBlocks(this.#postgres, dataset.blocks)
    return blocks.length === dataset.blocks.length ? blocks : null
  }

  async saveSource(sourceHash: string, name: string, code: Uint8Array): Promise<void> {
    await this.#postgres.query('insert into strategy_sources (source_hash, name, code) values ($1, $2, $3) on conflict (source_hash) do update set used_at = now()',
      [sourceHash, name, Buffer.from(code)])
  }

  async loadSource(sourceHash: string): Promise<Uint8Array | null> {
    const [row] = await this.#postgres.query<{ code: Buffer }>('select code from strategy_sources where source_hash = $1', [sourceHash])
    return row?.code ?? null
  }
}
