/**
 * Forgetting what was computed of a sweep, so that its next attempt begins at its beginning, with the engine of whichever worker
 * picks it. Of one that waits: its rows and artifacts go, its saga run ends (nothing of it is left to undo), and it is due
 * at once. Of one that is over, its rows go, and a redrive does the rest.
 */
import { PARKED } from './parked.js'

/** In: the task. Out: a row when it was forgotten; none for what runs, is completed, has not begun, or is being undone. */
export const START_OVER = `
with locked as (
  select t.task_id, t.status, t.attempt, t.generation from tasks t
  where t.task_id = $1 and t.task_type = 'optimization_workflow' and not ${PARKED} and (t.status in ('failed', 'dead_letter', 'cancelled')
    or t.status = 'pending' and t.attempt > 0 and not exists (select 1 from saga_runs r where r.task_id = t.task_id and r.status = 'compensating'))
  for update
), chunks as (
  delete from sweep_chunks c using sweeps s, locked l
  where s.sweep_id = l.task_id and c.sweep_id = s.sweep_id and c.sweep_created_at = s.created_at
), artifacts as (
  delete from task_artifacts a using locked l where a.task_id = l.task_id
), unmarked as (
  update sweeps s set handed_back_at = null from locked l where s.sweep_id = l.task_id
), runs as (
  update saga_runs r set status = 'compensated', finished_at = now(), row_version = r.row_version + 1
  from locked l where r.task_id = l.task_id and l.status = 'pending' and r.status = 'running'
), due as (
  update tasks t set not_before = null, published_at = null, message_id = null, progress = null
  from locked l where t.task_id = l.task_id and l.status = 'pending'
), audited as (
  insert into task_events (task_id, event, attempt, generation) select task_id, 'started_over', attempt, generation from locked
)
select task_id from locked`
