/** Deleting tasks with all that belongs to them. Their history stays, and its last row says that they were purged. */
import type { PoolClient } from 'pg'

/** What refers to a task, in an order that the foreign keys allow. */
const BELONGINGS = [
  'delete from saga_steps where task_id = any($1::uuid[])',
  'delete from saga_runs where task_id = any($1::uuid[])',
  'delete from checkpoints where task_id = any($1::uuid[])',
  'delete from task_artifacts where task_id = any($1::uuid[])',
  'delete from series_changes where task_id = any($1::uuid[])',
  'delete from sweep_top where sweep_id = any($1::uuid[])',
  `delete from sweep_chunks c using sweeps s
   where s.sweep_id = any($1::uuid[]) and c.sweep_id = s.sweep_id and c.sweep_created_at = s.created_at`,
  'delete from sweeps where sweep_id = any($1::uuid[])',
] as const

/** Inside a transaction that has locked the rows. `detail` is told by the history. */
export async function purgeTasks(client: PoolClient, taskIds: readonly string[], detail: Readonly<Record<string, unknown>> | null): Promise<void> {
  for (const statement of BELONGINGS) await client.query(statement, [taskIds])
  await client.query(`insert into task_events (task_id, event, from_status, attempt, generation, detail)
    select task_id, 'purged', status, attempt, generation, $2::jsonb from tasks where task_id = any($1::uuid[])`, [taskIds, detail === null ? null : JSON.stringify(detail)])
  await client.query('delete from tasks where task_id = any($1::uuid[])', [taskIds])
}
