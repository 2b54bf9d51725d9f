/**
 * What a list shows of values that may be large. A thousand tasks with a megabyte of spec each would be read, decoded and
 * written again on the main thread, and nobody reads them in a list: so a page has its bytes, newest tasks first, and of
 * what does not fit it says by name that it was left out. Postgres does not even send it.
 */

/** Of one value: a result as large as may be stored fits. */
const MOST_VALUE_BYTES = 2 ** 17
/** Of all values of a page together; fifty results of backtests have a third of it. */
const MOST_PAGE_BYTES = 2 ** 20
/** Of an error, which of a strange thing may have details and a stack. */
const MOST_ERROR_BYTES = 4096
const MOST_ERROR_TEXT = 1000

/** As text, which is how it travels. What is large as it is stored is not unpacked to be measured. */
function bytesOf(column: string): string {
  return `case when ${column} is null then 0 when pg_column_size(${column}) > ${MOST_VALUE_BYTES} then ${MOST_VALUE_BYTES + 1} else octet_length(${column}::text) end`
}

/** An error without its details and its stack where it is large. */
export function listedError(column: string): string {
  return `case when octet_length(${column}::text) > ${MOST_ERROR_BYTES}
    then jsonb_build_object('code', ${column}->'code', 'message', left(${column}->>'message', ${MOST_ERROR_TEXT})) else ${column} end`
}

/** What a table of tasks needs of a spec that was left out. */
const SUBJECT = `jsonb_strip_nulls(jsonb_build_object(
  'strategy', case when data->'strategy'->>'name' is null then null else jsonb_build_object('name', left(data->'strategy'->>'name', 200)) end,
  'symbol', left(data->>'symbol', 200), 'timeframe', left(data->>'timeframe', 20), 'file', left(data->>'file', 200)))`

/**
 * In: a statement that lists tasks newest first, and the other columns it has. Out: the same rows with `data`, `result` and
 * `error` as a list shows them, and `truncated`, the names of those that are not whole. Costs a look at each value.
 */
export function listedTasks(list: string, others: string): string {
  return `
with page as (${list}), sized as (
  select *, ${bytesOf('data')} as data_bytes, ${bytesOf('result')} as result_bytes from page
), told as (
  select *, sum(case when data_bytes > ${MOST_VALUE_BYTES} then 0 else data_bytes end + case when result_bytes > ${MOST_VALUE_BYTES} then 0 else result_bytes end)
    over (order by created_at desc, task_id desc) as so_far from sized
)
select ${others},
  case when data_bytes > ${MOST_VALUE_BYTES} or so_far > ${MOST_PAGE_BYTES} then ${SUBJECT} else data end as data,
  case when result_bytes > ${MOST_VALUE_BYTES} or so_far > ${MOST_PAGE_BYTES} then null else result end as result,
  ${listedError('error')} as error,
  array_remove(array[
    case when data_bytes > ${MOST_VALUE_BYTES} or so_far > ${MOST_PAGE_BYTES} then 'data' end,
    case when result is not null and (result_bytes > ${MOST_VALUE_BYTES} or so_far > ${MOST_PAGE_BYTES}) then 'result' end,
    case when octet_length(error::text) > ${MOST_ERROR_BYTES} then 'error' end], null) as truncated
from told order by created_at desc, task_id desc`
}

/** In: a task's id. Out: its checkpoints, oldest first; those behind the first mebibyte without their data. */
export const LISTED_CHECKPOINTS = `
select step, case when so_far <= ${MOST_PAGE_BYTES} then data end as data, so_far > ${MOST_PAGE_BYTES} as truncated, created_at from (
  select checkpoint_id, step, data, created_at,
    sum(case when pg_column_size(data) > ${MOST_PAGE_BYTES} then ${MOST_PAGE_BYTES + 1} else octet_length(data::text) end) over (order by checkpoint_id) as so_far
  from checkpoints where task_id = $1) c
order by checkpoint_id`
