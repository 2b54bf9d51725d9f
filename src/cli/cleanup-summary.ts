/** A finished cleanup for people: what went, or would go, rule by rule. */
import { asRecord } from './backtest-summary.js'
import { textTable } from './text-table.js'
import type { Cell } from './text-table.js'

export function cleanupSummary(result: unknown): string {
  const { rules, rows, bytes, dry_run: dryRun, dropped_partitions: partitions } = asRecord(result)
  const lines = (Array.isArray(rules) ? rules : []).map(asRecord).map((rule): Cell[] => [String(rule['rule']).replaceAll('_', ' '), Number(rule['rows']), Number(rule['bytes'])])
  return [
    textTable(['rule', 'rows', 'bytes'], [...lines, ['all', Number(rows), Number(bytes)]], '  '),
    ...(Array.isArray(partitions) && partitions.length > 0 ? [`Empty months dropped: ${partitions.join(', ')}.`] : []),
    ...(dryRun === true ? ['Nothing was removed: this is what would go without --dry-run.'] : []),
  ].join('\n')
}
