/** Blocks of bars as rows, for whoever is about to name them: a dataset or a month of a series. */
import type { PoolClient } from 'pg'
import { batches } from '../base/batches.js'
import type { StoredBlock } from '../tasks/bar-archive.js'
import { copyIn, copyOut } from './block-copy.js'
import { isTaken } from './postgres-failure.js'
import type { Postgres } from './postgres.js'

const MOST_TRIES = 10
/** In one statement, at most: each has its time, and all of a file at once would need a fast line. */
const STATEMENT_BYTES = 2 ** 23

/**
 * Writes blocks and what `name` adds in one transaction, so that what is named is there. Only blocks that are not there
 * travel; what is there already is used from now on, so that a cleanup leaves it alone.
 *
 * Three steps, each in one order for everybody, and none waits for one before it, so that writers of the same blocks never
 * wait for each other: locks that only a cleanup minds, new rows, then the time of use (a row that is being updated holds
 * up whoever inserts it). Where somebody else has inserted a block meanwhile, all of it is tried again.
 */
export async function writeBlocks(postgres: Postgres, blocks: readonly StoredBlock[], name?: (client: PoolClient) => Promise<void>): Promise<void> {
  const byHash = [...new Map(blocks.map((block) => [block.hash, block])).values()].toSorted((a, b) => (a.hash < b.hash ? -1 : 1))
  for (let tries = 1; ; tries += 1) {
    try {
      await postgres.transaction(async (client) => {
        const { rows } = await client.query<{ block_hash: string }>('select block_hash from bar_blocks where block_hash = any($1) order by block_hash for key share', [byHash.map((b) => b.hash)])
        const stored = new Set(rows.map((row) => row.block_hash))
        const missing = byHash.filter(({ hash }) => !stored.has(hash))
        for (const some of batches(missing, ({ bytes }) => bytes.length, STATEMENT_BYTES)) await copyIn(client, some)
        if (stored.size > 0) {
          await client.query(`
            with named as (select block_hash from bar_blocks where block_hash = any($1) order by block_hash for no key update)
            update bar_blocks b set used_at = now() from named n where b.block_hash = n.block_hash`, [[...stored]])
        }
        await name?.(client)
      })
      return
    } catch (error) {
      if (!isTaken(error) || tries === MOST_TRIES) throw error
    }
  }
}

/** In the order asked for; fewer where some are not there. */
export function readBlocks(postgres: Postgres, hashes: readonly string[]): Promise<Uint8Array[]> {
  return postgres.withClient(async (client, giveUp) => {
    try {
      return await copyOut(client, hashes)
    } catch (error) {
      giveUp(error as Error)
      throw error
    }
  })
}
