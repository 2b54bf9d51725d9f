/** Reports, written in a thread: the page is a large string, and the main thread makes none. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { frameParts, parseBacktestSpec, parseSweepSpec, prepareBars, renderBacktestReport, renderSweepReport } from '../../src/engine/index.js'
import type { ReportAssets, SweepRankingDocument } from '../../src/engine/index.js'
import { chartGrid } from '../../src/engine/report/chart-grid.js'
import type { IndicatorRecord } from '../../src/engine/report/indicator-record.js'
import { perform } from '../perform.js'
import { barsOf, payload, utf8 } from '../step.js'
import type { Step, StepResult } from '../step.js'
import { equityColumns } from './backtest.js'

let assets: ReportAssets | null = null

/** uPlot's own files, read once: they go into the page. */
function reportAssets(): ReportAssets {
  const folder = dirname(createRequire(import.meta.url).resolve('uplot/dist/uPlot.min.css'))
  assets ??= { uplotJs: readFileSync(join(folder, 'uPlot.iife.min.js'), 'utf8'), uplotCss: readFileSync(join(folder, 'uPlot.min.css'), 'utf8') }
  return assets
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}

/** {spec, task_id}, bars, payloads ranking, equity and trades of the best → html. */
export const renderSweep: Step = (context) => {
  const { spec, task_id: taskId } = context.input as { spec: Record<string, unknown>; task_id: string }
  const bars = barsOf(context)
  const prepared = prepareBars(bars, parseSweepSpec(spec).bars).bars
  const ranking = JSON.parse(textOf(payload(context, 'ranking'))) as SweepRankingDocument
  const trades = context.bytes['trades']
  const html = renderSweepReport({ tradesCsv: trades === undefined ? null : textOf(trades), taskId, source: bars.meta.source, spec, ranking, close: prepared.close, ...equityColumns(context.bytes['equity'] ?? new Uint8Array()) }, reportAssets())
  return page(html)
}

/** {spec, result, task_id}, bars, payloads equity and trades, and code for a user's strategy → html. */
export const renderBacktest: Step = async (context) => {
  const { spec, result, task_id: taskId } = context.input as { spec: Record<string, unknown>; result: Record<string, unknown>; task_id: string }
  const frame = barsOf(context)
  const parsed = parseBacktestSpec(spec)
  const common = { taskId, source: frame.meta.source, spec, summary: result, tradesCsv: textOf(payload(context, 'trades')), ...equityColumns(payload(context, 'equity')) }
  if (parsed.bars.symbols !== undefined) {
    const { bytes: { close } = {} } = await perform(context, 'portfolio_index', { spec })
    return page(renderBacktestReport({ ...common, bars: null, close: new Float64Array(new Uint8Array(close ?? []).buffer) }, reportAssets()))
  }
  const { bars } = prepareBars(frameParts(frame, parsed)[0] ?? frame, parsed.bars)
  // On the grid that the page draws on: that of the equity's times.
  const { json } = await perform(context, 'indicators', { spec, grid: chartGrid(common.time) })
  return page(renderBacktestReport({ ...common, bars, close: bars.close, indicators: () => recordOf(json) }, reportAssets()))
}

/** What a strategy's realm says of its lines, with nothing in it but numbers and short texts. */
function recordOf(json: unknown): IndicatorRecord {
  const { lines, left, note } = json as { lines: readonly Record<string, unknown>[]; left: readonly unknown[]; note: unknown }
  const points = (values: unknown): readonly (number | null)[] => (values as readonly unknown[]).map((value) => (typeof value === 'number' ? value : null))
  return {
    lines: lines.map(({ label, panel, line }) => {
      const { last, low, high } = line as Record<string, unknown>
      return {
        label: shortText(label), panel: panel === null ? null : shortText(panel),
        line: { last: points(last), ...(low === undefined ? {} : { low: points(low), high: points(high) }) },
      }
    }),
    left: left.map(shortText), note: note === null ? null : shortText(note),
  }
}

function shortText(value: unknown): string {
  return String(value).slice(0, 500)
}

function page(html: string): StepResult {
  return { json: {}, bytes: { html: utf8(html) } }
}
