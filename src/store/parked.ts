/** SQL: whether the task of the row `t` has a saga that waits for an operator. Starting it over would build on what is not undone. */
export const PARKED = `exists (select 1 from saga_runs parked where parked.task_id = t.task_id and parked.status = 'compensation_failed')`
