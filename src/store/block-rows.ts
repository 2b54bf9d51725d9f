/** Blocks of bars as rows, for whoever is about to name them: a dataset or a month of a series. */
import type { PoolClient } from 'pg'
import type { StoredBlock } from '../tasks/bar-archive.js'

const STATEMENT_BYTES = 2 ** 20
const STATEMENT_ROWS = 64

/**
 * Inside a transaction. Only blocks that are not there travel, each as a parameter of its own: a list of bytes is made text
 * on the main thread, 0.4 s for 100 MB. In one order for everybody, so that no two wait for each other; and what is there
 * already is used from now on, so that a cleanup leaves it alone.
 */
export async function writeBlocks(client: PoolClient, blocks: readonly StoredBlock[]): Promise<void> {
  const byHash = [...new Map(blocks.map((block) => [block.hash, block])).values()].toSorted((a, b) => (a.hash < b.hash ? -1 : 1))
  const { rows } = await client.query<{ block_hash: string }>(`
    with named as (select block_hash from bar_blocks where block_hash = any($1) order by block_hash for update)
    update bar_blocks b set used_at = now() from named n where b.block_hash = n.block_hash returning b.block_hash`, [byHash.map((b) => b.hash)])
  const stored = new Set(rows.map((row) => row.block_hash))
  for (let missing = byHash.filter(({ hash }) => !stored.has(hash)); missing.length > 0;) {
    const few = firstFew(missing)
    missing = missing.slice(few.length)
    await client.query(`insert into bar_blocks (block_hash, month, bars, bytes)
      values ${few.map((_, i) => `($${i * 4 + 1}, $${i * 4 + 2}, $${i * 4 + 3}, $${i * 4 + 4})`).join(', ')}
      on conflict (block_hash) do update set used_at = now()`,
    few.flatMap(({ hash, month, bars, bytes }) => [hash, month, bars, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)]))
  }
}

/** As many as fit one statement, at least one. */
function firstFew(blocks: readonly StoredBlock[]): StoredBlock[] {
  let size = 0
  const over = blocks.findIndex(({ bytes }, i) => {
    size += bytes.length
    return i > 0 && (i === STATEMENT_ROWS || size > STATEMENT_BYTES)
  })
  return over < 0 ? [...blocks] : blocks.slice(0, over)
}
