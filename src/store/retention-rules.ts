/**
 * What each rule of a cleanup names, as SQL.
 *
 * In: fixed times. They stand in the text as literals (rendered here from a Date, so nothing else can), because the
 * planner then knows how much a range is and which partitions it leaves out. `planned` is true while it is only
 * counted: rows that an earlier rule would have removed by then count as gone. Removing asks what is really there.
 *
 * Live is a task that is pending or processing. Nothing that one names, owns or descends from is ever named by a rule.
 */
import type { RetentionCutoffs, RetentionRule } from '../tasks/retention.js'

export interface Rule {
  readonly table: string
  readonly key: readonly string[]
  /** The table's rows are called `x` in all of these. */
  readonly from: string
  readonly where: string
  readonly order: string
  readonly bytes: string
}

const live = (task: string): string => `${task}.status in ('pending', 'processing')`

/** Null where the rule keeps everything. */
export function retentionRule(rule: RetentionRule, cutoffs: RetentionCutoffs, planned: boolean): Rule | null {
  const before = cutoffOf(rule, cutoffs)
  if (before === null) return null
  const [ended, given] = [at(cutoffs.tasks), at(cutoffs.deadLetters)]
  const expired = (task: string): string => `coalesce((${task}.status in ('completed', 'failed', 'cancelled') and ${task}.completed_at < ${ended})
    or (${task}.status = 'dead_letter' and ${task}.completed_at < ${given}), false)`
  /** Shards and their parent: a finished one stays while the parent lives, a parent while one of them stays. */
  const alone = (task: string): string => `not exists (select 1 from tasks p where p.task_id = ${task}.parent_id and ${live('p')})
    and not exists (select 1 from tasks s where s.parent_id = ${task}.task_id and not ${expired('s')})`
  const goes = (task: string): string => (planned ? `(${expired(task)} and ${alone(task)})` : 'false')
  const past = at(before)
  const ofLive = (id: string): string => `exists (select 1 from tasks t where t.task_id = ${id} and ${live('t')})`
  const ofGone = (id: string): string => (planned ? `exists (select 1 from tasks t where t.task_id = ${id} and ${goes('t')})` : 'false')
  /** Hashes that a schedule pins are needed whether or not it is paused: resuming it must not find them gone. */
  const scheduled = (key: string, hash: string): string => `exists (select 1 from schedules s where s.data->>'${key}' = ${hash})`
  /** Only a completed task does without its bars: whatever else is kept may be run again. */
  const datasetGoes = (dataset: string): string => {
    const bars = at(cutoffs.bars)
    return `(${dataset}.used_at < ${bars} and not ${scheduled('data_hash', `${dataset}.data_hash`)}
      and not exists (select 1 from tasks t where t.data->>'data_hash' = ${dataset}.data_hash
        and (${live('t')} or ((t.completed_at >= ${bars} or t.status <> 'completed') and not ${goes('t')}))))`
  }

  switch (rule) {
    case 'dead_letters':
    case 'tasks': {
      const states = rule === 'tasks' ? "('completed', 'failed', 'cancelled')" : "('dead_letter')"
      return {
        table: 'tasks', key: ['task_id'], from: 'tasks x', order: 'x.completed_at, x.task_id',
        // Created before it ended: the index is by that.
        where: `x.status in ${states} and x.created_at < ${past} and x.completed_at < ${past} and ${alone('x')}`,
        bytes: `${stored(200, 'x.data', 'x.result', 'x.error')} + coalesce((select sum(pg_column_size(a.bytes)) from task_artifacts a where a.task_id = x.task_id), 0)
          + coalesce((select sum(pg_column_size(c.rows)) from sweeps w join sweep_chunks c on c.sweep_id = w.sweep_id and c.sweep_created_at = w.created_at
              where w.sweep_id = x.task_id), 0)`,
      }
    }
    case 'chunks': return {
      table: 'sweep_chunks', key: ['sweep_created_at', 'sweep_id', 'quantum'], order: 'x.sweep_created_at, x.sweep_id, x.quantum',
      from: 'sweeps w join sweep_chunks x on x.sweep_id = w.sweep_id and x.sweep_created_at = w.created_at',
      where: `w.finished_at < ${past} and not ${ofLive('w.sweep_id')} and not ${ofGone('w.sweep_id')}`,
      bytes: stored(80, 'x.rows'),
    }
    case 'checkpoints': return {
      table: 'checkpoints', key: ['created_at', 'checkpoint_id'], from: 'checkpoints x', order: 'x.created_at, x.checkpoint_id',
      where: `x.created_at < ${past} and not ${ofLive('x.task_id')} and not ${ofGone('x.task_id')}`,
      bytes: stored(70, 'x.data'),
    }
    case 'events': return {
      table: 'task_events', key: ['at', 'event_id'], from: 'task_events x', order: 'x.at, x.event_id',
      where: `x.at < ${past} and not ${ofLive('x.task_id')}`,
      bytes: stored(110, 'x.detail'),
    }
    case 'datasets': return {
      table: 'datasets', key: ['data_hash'], from: 'datasets x', order: 'x.used_at, x.data_hash', where: datasetGoes('x'), bytes: stored(190, 'x.blocks', 'x.warnings'),
    }
    case 'blocks': return {
      table: 'bar_blocks', key: ['block_hash'], from: 'bar_blocks x', order: 'x.used_at, x.block_hash',
      where: `x.used_at < ${past}
        and not exists (select 1 from series_blocks b where b.block_hash = x.block_hash)
        and not exists (select 1 from series_changes c where c.before_hash = x.block_hash and ${changeStays('c', goes)})
        and not exists (select 1 from series_changes c where c.after_hash = x.block_hash and ${changeStays('c', goes)})
        and not exists (select 1 from series_revision_months m where m.before_hash = x.block_hash and m.replaced_at >= ${at(cutoffs.bars)})
        and not exists (select 1 from (select unnest(d.blocks) as hash from datasets d${planned ? ` where not ${datasetGoes('d')}` : ''}) n where n.hash = x.block_hash)`,
      bytes: stored(110, 'x.bytes'),
    }
    case 'sources': return {
      table: 'strategy_sources', key: ['source_hash'], from: 'strategy_sources x', order: 'x.used_at, x.source_hash',
      where: `x.used_at < ${past} and not ${scheduled('strategy_hash', 'x.source_hash')}
        and not exists (select 1 from strategies s where s.source_hash = x.source_hash)
        and not exists (select 1 from tasks t where t.data->>'strategy_hash' = x.source_hash and not ${goes('t')})`,
      bytes: stored(120, 'x.code'),
    }
    case 'workers': return {
      table: 'workers', key: ['incarnation'], from: 'workers x', order: 'x.beat_at, x.incarnation',
      where: `(x.stopped_at < ${past} or x.beat_at < ${past}) and not exists (select 1 from tasks t where t.owner = x.incarnation and t.status = 'processing')`,
      bytes: stored(170),
    }
  }
}

/**
 * What a task changed in a series is needed to take it back: by a task that may still be undone, which a completed one
 * may not. A change that was taken back is history.
 */
export function changeStays(change: string, goes: (task: string) => string): string {
  return `${change}.undone_at is null and exists (select 1 from tasks t where t.task_id = ${change}.task_id and t.status <> 'completed' and not ${goes('t')})`
}

function cutoffOf(rule: RetentionRule, cutoffs: RetentionCutoffs): string | null {
  switch (rule) {
    case 'dead_letters': return cutoffs.deadLetters
    case 'tasks': return cutoffs.tasks
    case 'chunks': return cutoffs.chunks
    case 'checkpoints': return cutoffs.checkpoints
    case 'events': return cutoffs.events
    case 'datasets': return cutoffs.bars
    case 'blocks': case 'sources': return cutoffs.unnamed
    case 'workers': return cutoffs.workers
  }
}

/** `small`: what the columns of little or fixed width take, about. Measuring the whole row would fetch what is stored beside it. */
function stored(small: number, ...columns: readonly string[]): string {
  return [small, ...columns.map((column) => `coalesce(pg_column_size(${column}), 0)`)].join(' + ')
}

/** Nothing is older than the beginning of time. */
function at(cutoff: string | null): string {
  return `timestamptz '${cutoff === null ? '-infinity' : new Date(cutoff).toISOString()}'`
}
