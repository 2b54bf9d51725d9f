/** A data-quality report for people: one line a check, then what was found, longest lists cut. */
import type { QualityReport } from '../market/quality.js'
import { nameOfStep } from '../market/timeframe.js'
import { formatNumber, textTable } from './text-table.js'
import type { Cell } from './text-table.js'

/** JSON has all that is listed. */
const SHOWN = 5

export function qualityTable(quality: QualityReport): string {
  const { gaps, step, zero_volume: zero } = quality
  const rows: Cell[][] = [
    ['bars', formatNumber(quality.bars), `${quality.first_time} to ${quality.last_time}`],
    ['calendar', quality.calendar, quality.calendar === 'sessions' ? 'rests at weekends: nights, weekends and single holidays are no missing bars' : 'never rests'],
    // A series that was checked by an earlier release has none.
    ...('days' in quality ? [['days', quality.days.shiftMs === 0 ? 'UTC' : 'market', quality.days.shiftMs === 0 ? '' : quality.days.text]] : []),
    ['order', verdict(quality.out_of_order), ''],
    ['duplicates', verdict(quality.duplicates), ''],
    ['step', nameOfStep(step.most_common_ms), step.shorter + step.off_grid === 0 ? '' : `${formatNumber(step.shorter)} shorter, ${formatNumber(step.off_grid)} not aligned to UTC`],
    ['gaps', verdict(gaps.count), gaps.count === 0 ? '' : `${counted(gaps.missing_bars, 'bar')} missing`],
    ...gaps.list.slice(0, SHOWN).map((gap) => ['', '', `after ${gap.after} until ${gap.before}: ${gap.missing_bars === undefined ? counted(gap.missing_days, 'day') : counted(gap.missing_bars, 'bar')}`]),
    ...more(gaps.count),
    ['high and low', verdict(quality.ohlc.count), quality.ohlc.list.slice(0, SHOWN).join(', ')],
    ['zero volume', verdict(zero.bars), zero.bars === 0 ? '' : `longest run ${counted(zero.longest_run, 'bar')}, ${counted(zero.runs.count, 'run')} of 10 or more`],
    ['outliers', verdict(quality.outliers.count), ''],
    ...quality.outliers.list.slice(0, SHOWN).map(({ time, move }) => ['', '', `${time}: ${percent(move)}`]),
    ...more(quality.outliers.count),
    ['split-like jumps', verdict(quality.jumps.count), ''],
    ...quality.jumps.list.slice(0, SHOWN).map(({ time, ratio, like }) => ['', '', `${time}: × ${formatNumber(ratio)}, like a ${like}`]),
    ...more(quality.jumps.count),
    ['last bar', quality.partial_last_bar ? 'unfinished' : 'complete', ''],
    ['repaired', formatNumber(quality.repaired), quality.repaired === 0 ? '' : 'bars were made up to fill gaps'],
  ]
  return textTable(['quality', 'found', ''], rows)
}

function counted(count: number | undefined, what: string): string {
  return `${formatNumber(count ?? 0)} ${what}${count === 1 ? '' : 's'}`
}

function verdict(count: number): string {
  return count === 0 ? 'none' : formatNumber(count)
}

function percent(fraction: number): string {
  return `${fraction > 0 ? '+' : ''}${(fraction * 100).toFixed(1)} %`
}

function more(count: number): Cell[][] {
  return count > SHOWN ? [['', '', `and ${formatNumber(count - SHOWN)} more`]] : []
}
