/** Trial rows as CSV text: index, parameters, metrics; an undefined metric is an empty cell. */
import { SWEEP_METRICS } from '../metrics/sweep-metrics.js'
import type { SweepPlan } from './sweep-plan.js'
import type { TrialRows } from './trial-rows.js'

export function trialsCsvHeader(plan: SweepPlan): string {
  return `${['trial', ...plan.names, ...SWEEP_METRICS].join(',')}\n`
}

export function trialsCsvRows({ width, count, rows }: TrialRows): string {
  const lines: string[] = []
  for (let k = 0; k < count; k++) {
    const cells: string[] = []
    for (let column = 0; column < width; column++) {
      const value = rows[k * width + column] ?? NaN
      cells.push(Number.isFinite(value) ? String(value) : '')
    }
    lines.push(`${cells.join(',')}\n`)
  }
  return lines.join('')
}
