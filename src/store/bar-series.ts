/** Bars by exchange, symbol and timeframe in Postgres. */
import type { PoolClient } from 'pg'
import { SweepmillError } from '../base/errors.js'
import type { BarSeriesStore, MadeChange, MonthChange, NewBlock, ReplacedAll, Replaced, RevisionNote, Series, SeriesBlock, SeriesKey, Writer } from '../tasks/bar-series.js'
import { readBlocks, writeBlocks } from './block-rows.js'
import type { Postgres } from './postgres.js'
import { lockSeries, monthsNow, record, settle } from './series-revisions.js'

interface SeriesRow {
  series_id: number
  exchange: string
  symbol: string
  timeframe: string
  quality: unknown
  blocks: { month: string; hash: string; bars: number; first_ms: number; last_ms: number }[]
}

const SELECT = `
select s.series_id::int as series_id, s.exchange, s.symbol, s.timeframe, s.quality,
       coalesce((select jsonb_agg(jsonb_build_object('month', b.month, 'hash', b.block_hash, 'bars', b.bars,
           'first_ms', extract(epoch from b.first_time) * 1000, 'last_ms', extract(epoch from b.last_time) * 1000) order by b.month)
         from series_blocks b where b.series_id = s.series_id), '[]') as blocks
from bar_series s`

export class PostgresBarSeriesStore implements BarSeriesStore {
  readonly #postgres: Postgres

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  async find({ exchange, symbol, timeframe }: SeriesKey): Promise<Series | null> {
    const [row] = await this.#postgres.query<SeriesRow>(`${SELECT} where exchange = $1 and symbol = $2 and timeframe = $3`, [exchange, symbol, timeframe])
    return row === undefined ? null : toSeries(row)
  }

  async ensure(key: SeriesKey): Promise<Series> {
    await this.#postgres.query('insert into bar_series (exchange, symbol, timeframe) values ($1, $2, $3) on conflict do nothing',
      [key.exchange, key.symbol, key.timeframe])
    const series = await this.find(key)
    if (series === null) throw new SweepmillError('INVARIANT', `The series ${key.exchange} ${key.symbol} ${key.timeframe} was made and is gone.`)
    return series
  }

  async list(symbol?: string): Promise<readonly Series[]> {
    return (await this.#postgres.query<SeriesRow>(`${SELECT} where ($1::text is null or lower(symbol) = lower($1))
      and exists (select 1 from series_blocks b where b.series_id = s.series_id) order by exchange, symbol, timeframe`, [symbol ?? null])).map(toSeries)
  }

  async blocks(hashes: readonly string[]): Promise<readonly Uint8Array[]> {
    const blocks = await readBlocks(this.#postgres, hashes)
    if (blocks.length !== hashes.length) throw new SweepmillError('NOT_RESOLVABLE', `Of ${hashes.length} blocks of bars only ${blocks.length} are in the store.`)
    return blocks
  }

  keep(blocks: readonly NewBlock[]): Promise<void> {
    return writeBlocks(this.#postgres, blocks)
  }

  replace(seriesId: number, changes: readonly MonthChange[], writer: Writer | null, note: RevisionNote): Promise<ReplacedAll> {
    return this.#postgres.transaction(async (client): Promise<ReplacedAll> => {
      if (await isFenced(client, writer)) return { kind: 'fenced' }
      await lockSeries(client, seriesId)
      const now = await monthsNow(client, seriesId, changes.map(({ month }) => month))
      const changed = changes.filter(({ month, before }) => (now.get(month)?.hash ?? null) !== before)
      if (changed.length > 0) return { kind: 'changed', months: changed.map(({ month }) => month) }
      const revision = await record(client, seriesId, changes.map(({ month }) => ({ month, before: now.get(month) ?? null })), { ...note, taskId: writer?.taskId ?? null })
      for (const change of changes) await replaceBlock(client, change)
      if (writer !== null) await remember(client, changes, writer)
      await settle(client, seriesId, revision)
      return { kind: 'replaced', revision }
    })
  }

  async changesOf(taskId: string): Promise<readonly MadeChange[]> {
    const rows = await this.#postgres.query<{ change_id: number; series_id: number; month: string; before_hash: string | null; after_hash: string }>(`
      select change_id::int as change_id, series_id::int as series_id, month, before_hash, after_hash
      from series_changes where task_id = $1 and undone_at is null order by change_id desc`, [taskId])
    return rows.map((row) => ({ changeId: row.change_id, seriesId: row.series_id, month: row.month, before: row.before_hash, after: row.after_hash }))
  }

  async addedBy(taskId: string): Promise<number> {
    const [row] = await this.#postgres.query<{ bars: number }>(`
      select coalesce(sum(a.bars - coalesce(b.bars, 0)), 0)::int as bars from series_changes c
      join bar_blocks a on a.block_hash = c.after_hash left join bar_blocks b on b.block_hash = c.before_hash
      where c.task_id = $1 and c.undone_at is null`, [taskId])
    return row?.bars ?? 0
  }

  undo(changeId: number, change: MonthChange, writer: Writer): Promise<Replaced> {
    return this.#postgres.transaction(async (client) => {
      if (await isFenced(client, writer)) return 'fenced'
      const { seriesId, month } = change
      await lockSeries(client, seriesId)
      const now = await monthsNow(client, seriesId, [month])
      const replaced = await replaceBlock(client, change)
      if (replaced === 'replaced') {
        await client.query('update series_changes set undone_at = now() where change_id = $1', [changeId])
        const note = { kind: 'undo', source: `task ${writer.taskId}`, added: 0, replaced: 0, taskId: writer.taskId } as const
        await settle(client, seriesId, await record(client, seriesId, [{ month, before: now.get(month) ?? null }], note))
      }
      return replaced
    })
  }

  async saveQuality(seriesId: number, quality: unknown): Promise<void> {
    await this.#postgres.query('update bar_series set quality = $2::jsonb, updated_at = now() where series_id = $1', [seriesId, JSON.stringify(quality)])
  }
}

/** Locked FOR SHARE: no later attempt opens before this write is committed. */
async function isFenced(client: PoolClient, writer: Writer | null): Promise<boolean> {
  if (writer === null) return false
  const held = await client.query('select 1 from tasks where task_id = $1 and attempt = $2 and status = \'processing\' for share', [writer.taskId, writer.attempt])
  return held.rowCount === 0
}

async function replaceBlock(client: PoolClient, { seriesId, month, before, after }: MonthChange): Promise<'replaced' | 'changed'> {
  // Taken back already, by whoever removed the month.
  if (before === null && after === null) return 'replaced'
  if (after === null) {
    const { rowCount } = await client.query('delete from series_blocks where series_id = $1 and month = $2 and block_hash = $3', [seriesId, month, before])
    return rowCount === 0 ? 'changed' : 'replaced'
  }
  const values = [seriesId, month, after.hash, after.bars, new Date(after.firstTime), new Date(after.lastTime)]
  const { rowCount } = before === null
    ? await client.query(`insert into series_blocks (series_id, month, block_hash, bars, first_time, last_time)
        values ($1, $2, $3, $4, $5, $6) on conflict do nothing`, values)
    : await client.query(`update series_blocks set block_hash = $3, bars = $4, first_time = $5, last_time = $6
        where series_id = $1 and month = $2 and block_hash = $7`, [...values, before])
  return rowCount === 0 ? 'changed' : 'replaced'
}

async function remember(client: PoolClient, changes: readonly MonthChange[], { taskId, attempt }: Writer): Promise<void> {
  for (const { seriesId, month, before, after } of changes) {
    if (after === null) continue
    await client.query('insert into series_changes (task_id, attempt, series_id, month, before_hash, after_hash) values ($1, $2, $3, $4, $5, $6)', [taskId, attempt, seriesId, month, before, after.hash])
  }
}

function toSeries(row: SeriesRow): Series {
  return {
    seriesId: row.series_id, exchange: row.exchange, symbol: row.symbol, timeframe: row.timeframe, quality: row.quality,
    blocks: row.blocks.map((block): SeriesBlock => ({
      month: block.month, hash: block.hash, bars: block.bars, firstTime: Math.round(block.first_ms), lastTime: Math.round(block.last_ms),
    })),
  }
}
