/**
 * The history of series in Postgres: every change of months is a revision, and a series can be taken back to any whose
 * blocks are still there. Whoever changes a series holds its row (FOR NO KEY UPDATE) first, so revisions have an order and no gap.
 *
 * Invariant: a month as it was after revision R is the block before the first later revision that changed it; else it is
 * what is stored.
 */
import type { PoolClient } from 'pg'
import { SweepmillError } from '../base/errors.js'
import type { RevisedSeries, RevisionView, SeriesHistory, SeriesKey } from '../tasks/bar-series.js'
import type { Postgres } from './postgres.js'

/** A month's block as revisions keep it. */
interface MonthBlock {
  readonly hash: string
  readonly bars: number
  readonly first_ms: number
  readonly last_ms: number
}

interface MonthBefore {
  readonly month: string
  readonly before: MonthBlock | null
}

interface Note {
  readonly kind: RevisionView['kind']
  readonly source: string
  readonly added: number
  readonly replaced: number
  readonly taskId: string | null
}

export async function lockSeries(client: PoolClient, seriesId: number): Promise<void> {
  await client.query('select 1 from bar_series where series_id = $1 for no key update', [seriesId])
}

const BLOCK = `jsonb_build_object('hash', b.block_hash, 'bars', b.bars,
  'first_ms', (extract(epoch from b.first_time) * 1000)::int8, 'last_ms', (extract(epoch from b.last_time) * 1000)::int8)`

/** The report without its lists, which may be long: what it says of bars that were made up or not finished stays whole. */
const MARKS = `quality || jsonb_build_object(${['gaps', 'ohlc', 'outliers', 'jumps'].map((key) => `'${key}', (quality->'${key}') || '{"list": []}'`).join(', ')})`

/** Null: all months. */
export async function monthsNow(client: PoolClient, seriesId: number, months: readonly string[] | null): Promise<Map<string, MonthBlock>> {
  const { rows } = await client.query<{ month: string; block: MonthBlock }>(
    `select b.month, ${BLOCK} as block from series_blocks b where b.series_id = $1 and ($2::text[] is null or b.month = any($2))`, [seriesId, months])
  return new Map(rows.map(({ month, block }) => [month, block]))
}

/**
 * Under the lock, before the months are changed. What a task changes without anybody between is one revision: a sync writes
 * its pages in many transactions. Returns the revision; `settle` completes it.
 */
export async function record(client: PoolClient, seriesId: number, months: readonly MonthBefore[], { kind, source, added, replaced, taskId }: Note): Promise<number> {
  const { rows: [last] } = await client.query<{ revision: number; kind: string; task_id: string | null }>(
    'select revision, kind, task_id from series_revisions where series_id = $1 order by revision desc limit 1', [seriesId])
  const goesOn = taskId !== null && last?.task_id === taskId && last.kind === kind
  const revision = goesOn ? last.revision : (last?.revision ?? 0) + 1
  if (goesOn) {
    await client.query('update series_revisions set added = added + $3, replaced = replaced + $4 where series_id = $1 and revision = $2', [seriesId, revision, added, replaced])
  } else {
    await client.query(`
      insert into series_revisions (series_id, revision, kind, source, task_id, bars, added, replaced, marks)
      select $1, $2, $3, $4, $5, 0, $6, $7, ${MARKS} from bar_series where series_id = $1`, [seriesId, revision, kind, source, taskId, added, replaced])
  }
  await client.query(`
    insert into series_revision_months (series_id, revision, month, before)
    select $1, $2, x.month, nullif(x.before, 'null') from jsonb_to_recordset($3) as x(month text, before jsonb)
    on conflict do nothing`, [seriesId, revision, JSON.stringify(months)])
  return revision
}

/** After the months were changed. */
export async function settle(client: PoolClient, seriesId: number, revision: number): Promise<number> {
  const { rows: [row] } = await client.query<{ bars: number }>(`
    update series_revisions set bars = (select coalesce(sum(bars), 0) from series_blocks where series_id = $1)
    where series_id = $1 and revision = $2 returning bars::int8 as bars`, [seriesId, revision])
  await client.query('update bar_series set updated_at = now() where series_id = $1', [seriesId])
  return row?.bars ?? 0
}

export class PostgresSeriesHistory implements SeriesHistory {
  readonly #postgres: Postgres

  constructor(postgres: Postgres) {
    this.#postgres = postgres
  }

  async history(key: SeriesKey): Promise<readonly RevisionView[] | null> {
    return this.#postgres.withClient(async (client) => {
      const seriesId = await idOf(client, key)
      if (seriesId === null) return null
      const { rows } = await client.query<Omit<RevisionView, 'current' | 'restorable' | 'at'> & { at: Date; months: { month: string; gone: boolean }[] }>(`
        select r.revision, r.created_at as at, r.kind, r.source, r.task_id, r.bars, r.added, r.replaced, count(m.month)::int as months_changed,
               coalesce(jsonb_agg(jsonb_build_object('month', m.month, 'gone', m.before_hash is not null and b.block_hash is null)) filter (where m.month is not null), '[]') as months
        from series_revisions r left join series_revision_months m using (series_id, revision) left join bar_blocks b on b.block_hash = m.before_hash
        where r.series_id = $1 group by r.series_id, r.revision order by r.revision desc`, [seriesId])
      // From the latest back: the block before the first later change of a month is the one that would be needed.
      const gone = new Map<string, boolean>()
      return rows.map(({ at, months, ...row }, i) => {
        const view: RevisionView = { ...row, at: at.toISOString(), current: i === 0, restorable: ![...gone.values()].includes(true) }
        for (const one of months) gone.set(one.month, one.gone)
        return view
      })
    })
  }

  restore(key: SeriesKey, revision: number): Promise<RevisedSeries | null> {
    return this.#postgres.transaction(async (client) => {
      const seriesId = await idOf(client, key)
      if (seriesId === null) return null
      await lockSeries(client, seriesId)
      const { rows: [row] } = await client.query<{ last: number; found: boolean }>(
        'select max(revision) as last, coalesce(bool_or(revision = $2), false) as found from series_revisions where series_id = $1', [seriesId, revision])
      const name = `${key.exchange}/${key.symbol}/${key.timeframe}`
      if (row?.found !== true) {
        throw new SweepmillError('REVISION_NOT_FOUND', `${name} has no revision ${revision}; it has 1 to ${row?.last ?? 0}. \`sweepmill series history ${name}\` lists them.`, { details: { revision, last: row?.last ?? 0 } })
      }
      const { rows: wanted } = await client.query<MonthBefore>(`
        select distinct on (month) month, before from series_revision_months where series_id = $1 and revision > $2 order by month, revision`, [seriesId, revision])
      const now = await monthsNow(client, seriesId, null)
      const months = wanted.filter(({ month, before }) => now.get(month)?.hash !== before?.hash)
      if (months.length === 0) return { revision: row.last, bars: [...now.values()].reduce((sum, { bars }) => sum + bars, 0), months_changed: 0 }
      await refuseGone(client, months, { name, revision })
      const { rows: [next] } = await client.query<{ marks: unknown }>('select marks from series_revisions where series_id = $1 and revision = $2 + 1', [seriesId, revision])
      const made = await this.#change(client, seriesId, months, now, { kind: 'restore', source: `revision ${revision}` })
      if (next !== undefined) await client.query('update bar_series set quality = $2 where series_id = $1', [seriesId, next.marks === null ? null : JSON.stringify(next.marks)])
      return made
    })
  }

  remove(key: SeriesKey): Promise<RevisedSeries | null> {
    return this.#postgres.transaction(async (client) => {
      const seriesId = await idOf(client, key)
      if (seriesId === null) return null
      await lockSeries(client, seriesId)
      const now = await monthsNow(client, seriesId, null)
      if (now.size === 0) return null
      const made = await this.#change(client, seriesId, [...now.keys()].map((month) => ({ month, before: null })), now, { kind: 'remove', source: '-' })
      await client.query('update bar_series set quality = null where series_id = $1', [seriesId])
      return made
    })
  }

  /** `months`: what each is to be, null for nothing. */
  async #change(client: PoolClient, seriesId: number, months: readonly MonthBefore[], now: ReadonlyMap<string, MonthBlock>, { kind, source }: Pick<Note, 'kind' | 'source'>): Promise<RevisedSeries> {
    const revision = await record(client, seriesId, months.map(({ month }) => ({ month, before: now.get(month) ?? null })), { kind, source, added: 0, replaced: 0, taskId: null })
    await client.query('delete from series_blocks where series_id = $1 and month = any($2)', [seriesId, months.map(({ month }) => month)])
    await client.query(`
      insert into series_blocks (series_id, month, block_hash, bars, first_time, last_time)
      select $1, x.month, x.before->>'hash', (x.before->>'bars')::int, to_timestamp((x.before->>'first_ms')::float8 / 1000), to_timestamp((x.before->>'last_ms')::float8 / 1000)
      from jsonb_to_recordset($2) as x(month text, before jsonb) where x.before->>'hash' is not null`, [seriesId, JSON.stringify(months)])
    return { revision, bars: await settle(client, seriesId, revision), months_changed: months.length }
  }
}

async function idOf(client: PoolClient, { exchange, symbol, timeframe }: SeriesKey): Promise<number | null> {
  const { rows: [row] } = await client.query<{ series_id: number }>('select series_id::int as series_id from bar_series where exchange = $1 and symbol = $2 and timeframe = $3', [exchange, symbol, timeframe])
  return row?.series_id ?? null
}

/** Holds the blocks, so that no cleanup takes them before they are named again. */
async function refuseGone(client: PoolClient, months: readonly MonthBefore[], { name, revision }: { readonly name: string; readonly revision: number }): Promise<void> {
  const hashes = months.flatMap(({ before }) => (before === null ? [] : [before.hash]))
  const { rows } = await client.query<{ block_hash: string }>('select block_hash from bar_blocks where block_hash = any($1) order by block_hash for key share', [hashes])
  const there = new Set(rows.map(({ block_hash: hash }) => hash))
  const gone = months.filter(({ before }) => before !== null && !there.has(before.hash)).map(({ month }) => month).sort()
  if (gone.length === 0) return
  throw new SweepmillError('REVISION_NOT_FOUND',
    `Revision ${revision} of ${name} cannot be restored: a cleanup has removed its bars of ${gone.slice(0, 5).join(', ')}${gone.length > 5 ? ` and ${gone.length - 5} more months` : ''}. Import its files again; a cleanup with a larger --bars-days keeps more.`,
    { details: { revision, months: gone } })
}
