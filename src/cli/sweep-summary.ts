/** A finished sweep for people: what ran, and the best trials with their held-out figures beside them. */
import { METRIC_UNITS } from '../engine/metrics/sweep-metrics.js'
import type { AwaitedTask } from './awaited-task.js'
import { asRecord, inUnit, warningsOf } from './backtest-summary.js'
import { fittedTable, formatNumber, shownHash, textPairs } from './text-table.js'
import type { Cell } from './text-table.js'

/** Shown after the objective, where they are not the objective themselves. */
const BESIDE = ['total_return', 'sharpe_ratio', 'max_drawdown', 'total_trades']
const ROWS = 10

export function sweepSummary(result: unknown, spec: Readonly<Record<string, unknown>>, { task, busyShare }: AwaitedTask, wide: boolean): string {
  const processingTimeMs = task.processing_time_ms
  const values = asRecord(result)
  const objective = typeof spec['objective'] === 'string' ? spec['objective'] : 'sharpe_ratio'
  const trials = typeof values['trials'] === 'number' ? values['trials'] : null
  const facts: (readonly [string, Cell])[] = [['trials', trials]]
  // A sweep that was resumed did part of its trials in an earlier run, and its time counts the pause between: no rate.
  if (trials !== null && processingTimeMs !== null && processingTimeMs > 0 && values['reused_chunks'] === 0) {
    facts.push(['trials per second', formatNumber(Math.round((1000 * trials) / processingTimeMs))])
  }
  if (busyShare !== null) facts.push(['threads busy', inUnit(busyShare, 'fraction')])
  for (const [key, label] of [['reused_chunks', 'chunks reused'], ['result_hash', 'result hash']] as const) {
    const value = values[key]
    if (typeof value === 'number') facts.push([label, value])
    if (typeof value === 'string') facts.push([label, shownHash(value, wide)])
  }
  return [textPairs(facts), '', topTable(values['top'], objective, orderOf(spec), wide), ...warningsOf(result)].join('\n')
}

/** The parameters as they were named. A result that came through jsonb has its own order of keys. */
function orderOf(spec: Readonly<Record<string, unknown>>): readonly string[] {
  const { space_order: order } = spec
  return Array.isArray(order) ? order.map(String) : Object.keys(asRecord(spec['space']))
}

function topTable(top: unknown, objective: string, order: readonly string[], wide: boolean): string {
  const rows = (Array.isArray(top) ? top : []).slice(0, ROWS).map(asRecord)
  const [first] = rows
  if (first === undefined) return '  no trial has a value of the objective'
  const params = Object.keys(asRecord(first['params'])).sort((a, b) => order.indexOf(a) - order.indexOf(b))
  const metrics = [objective, ...BESIDE.filter((name) => name !== objective)].filter((name) => name in asRecord(first['metrics']))
  const heldOut = rows.some((row) => typeof row['held_out'] === 'object' && row['held_out'] !== null)
  const shown = wide ? titled : shortTitle
  const header = ['#', 'trial', ...params, ...metrics.map(shown), ...(heldOut ? [`held-out ${shown(objective)}`, 'held-out return %'] : [])]
  const body = rows.map((row, rank): Cell[] => {
    const held = asRecord(row['held_out'])
    return [
      rank + 1, cell(row['trial']), ...params.map((name) => cell(asRecord(row['params'])[name])),
      ...metrics.map((name) => cell(asRecord(row['metrics'])[name])), ...(heldOut ? [cell(held[objective]), cell(held['total_return'])] : []),
    ]
  })
  // What goes first is what a reader misses least; the objective and the parameters stay.
  const drop = [...BESIDE.filter((name) => name !== objective).toReversed().map(shown), 'trial', 'held-out return %']
  return fittedTable(header, body, { drop, wide }, '  ')
}

const SHORT: Readonly<Record<string, string>> = {
  total_return: 'return %', sharpe_ratio: 'Sharpe', sortino_ratio: 'Sortino', calmar_ratio: 'Calmar', max_drawdown: 'drawdown %', total_trades: 'trades',
}

function shortTitle(metric: string): string {
  return SHORT[metric] ?? titled(metric)
}

/** A metric's name, with a sign where its values are percent. */
function titled(metric: string): string {
  return METRIC_UNITS[metric]?.startsWith('percent') === true ? `${metric} %` : metric
}

function cell(value: unknown): Cell {
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' ? value : null
}
