/** The report of a sweep: the best trial in the light of all of them, in sample beside held out. */
import { formatIsoTime } from '../calendar/iso-time.js'
import type { HeatMap } from '../search/heat-map.js'
import { executionFacts, identityFacts, warningList } from './conventions.js'
import { definitionList, metricSections } from './metric-sections.js'
import { escapeHtml, formatExact, formatMetric, formatNumber, label, table } from './markup.js'
import type { Cell } from './markup.js'
import { renderPage } from './page.js'
import type { ReportAssets } from './page.js'
import { CHART_SCRIPT } from './chart-script.js'
import { drawdown } from './chart-grid.js'
import { thinOut } from './series.js'
import { readTrades } from './trade-rows.js'
import { tradeSplit, tradeTable } from './trade-table.js'

type MetricValues = Readonly<Record<string, number | null>>

export interface ReportTrial {
  readonly trial: number
  readonly params: Readonly<Record<string, number>>
  readonly metrics: MetricValues
  readonly held_out?: MetricValues
}

/** The `ranking` artifact of a sweep, as `rank_sweep` writes it. */
export interface SweepRankingDocument {
  readonly trials: number
  readonly result_hash: string
  readonly objective: string
  readonly direction: string
  readonly top: readonly ReportTrial[]
  readonly holdout?: { readonly share: number; readonly first_bar: number; readonly first_time: string }
  readonly buy_and_hold: { readonly in_sample: number; readonly held_out: number | null }
  readonly bars: number
  readonly data_hash: string
  readonly spec_hash: string
  readonly engine_version: string
  readonly seed: number
  readonly warnings: readonly string[]
  readonly heat_map: HeatMap | null
  /** The best trial over all bars, as a backtest's result; null where no trial has a value of the objective. */
  readonly best_summary?: Readonly<Record<string, unknown>> | null
}

export interface SweepReportInput {
  readonly taskId: string
  readonly source: string
  readonly spec: Readonly<Record<string, unknown>>
  readonly ranking: SweepRankingDocument
  /** The best trial over all bars. */
  readonly time: Float64Array
  readonly equity: Float64Array
  readonly close: Float64Array
  /** The trades of the best trial over all bars, as CSV, header first; null where there are none to show. */
  readonly tradesCsv?: string | null
}

const COLUMNS = ['total_return', 'sharpe_ratio', 'max_drawdown', 'total_trades', 'win_rate', 'profit_factor'] as const
const SHORT = { total_return: 'return', sharpe_ratio: 'Sharpe', max_drawdown: 'drawdown', total_trades: 'trades', win_rate: 'won', profit_factor: 'profit factor' } as const
const HELD_OUT_COLUMNS = ['total_return', 'sharpe_ratio', 'max_drawdown', 'total_trades'] as const

export function renderSweepReport(input: SweepReportInput, assets: ReportAssets): string {
  const { ranking, spec, time, equity, close } = input
  const strategy = (spec['strategy'] as { name?: string } | undefined)?.name ?? ''
  const [best] = ranking.top
  const initial = Number((spec['execution'] as { initial_cash?: unknown } | undefined)?.initial_cash ?? equity[0] ?? 1)
  const hold = close.map((price) => (initial * price) / (close[0] ?? 1))
  const body = [
    `<h1>${escapeHtml(strategy)} on ${escapeHtml(input.source)}</h1>`,
    `<p class="soft">Sweep of ${formatNumber(ranking.trials, 0)} trials over ${formatNumber(ranking.bars, 0)} bars, ${span(time)}, by ${escapeHtml(ranking.objective)} (${escapeHtml(ranking.direction)}).</p>`,
    best === undefined ? '<p class="warn">No trial has a value for the objective; nothing can be ranked.</p>' : headline(best, ranking),
    warningList(ranking.warnings),
    heatSection(ranking, best),
    best === undefined ? '' : topSection(ranking),
    best === undefined ? '' : `<h2>The best trial, all bars</h2><button class="toggle" id="log" type="button">Logarithmic</button>
<div class="chart" id="equity" data-log="0" role="img" aria-label="Equity of the best trial and of buy and hold"></div>
<div class="chart" id="drawdown" role="img" aria-label="Drawdown of the best trial in percent"></div>${bestSection(input)}`,
    `<h2>How these numbers were made</h2>${identityFacts({
      task: input.taskId, 'result hash': ranking.result_hash, 'data hash': ranking.data_hash, 'spec hash': ranking.spec_hash,
      engine: ranking.engine_version, seed: ranking.seed, constraint: spec['constraint'], space: spaceText(spec),
    })}${executionFacts(spec)}<p class="soft">The result hash covers index, parameters and metrics of every trial; it is the same at any number of threads.</p>`,
  ].join('\n')
  const water = drawdown(equity)
  const data = {
    name: strategy, direction: ranking.direction, heatMap: ranking.heat_map,
    splitTime: ranking.holdout === undefined ? null : Date.parse(ranking.holdout.first_time) / 1000,
    ...(best === undefined ? {} : { equity: thinOut(time, equity, [hold]), drawdown: thinOut(time, water, []) }),
  }
  return renderPage({ title: `${strategy}: sweep of ${formatNumber(ranking.trials, 0)} trials`, body, data, script: CHART_SCRIPT }, assets)
}

/** Everything of the best trial as its own report shows it. */
function bestSection({ taskId, ranking, tradesCsv }: SweepReportInput): string {
  const { best_summary: summary, holdout } = ranking
  const bars = holdout === undefined ? '' : ` These are figures of all bars, the held-out ones from ${escapeHtml(holdout.first_time.slice(0, 10))} on included.`
  const metrics = summary === undefined || summary === null ? '' : `<h3>Metrics of the best trial</h3>
<p class="soft">As the backtest of this trial gives them.${bars} <code>sweepmill backtest --from-sweep ${escapeHtml(taskId)} --rank 1 --report best.html</code> makes its own report${
  holdout === undefined ? '' : ', of the bars in sample'}.</p>${metricSections(summary)}${definitionList(summary)}`
  if (tradesCsv === undefined || tradesCsv === null) return metrics
  const trades = readTrades(tradesCsv)
  return `${metrics}<h3>Trades of the best trial</h3>${tradeSplit(trades)}${tradeTable(trades, false)}`
}

function headline(best: ReportTrial, ranking: SweepRankingDocument): string {
  const { metrics, held_out: held } = best
  const tile = (name: string): string => `<div><dt>${label(name)}</dt><dd>${formatMetric(name, metrics[name])}${held === undefined ? '' : `<small>in sample</small><small>held out ${formatMetric(name, held[name])}</small>`}</dd></div>`
  const hold = `<div><dt>Buy and hold</dt><dd>${formatMetric('total_return', ranking.buy_and_hold.in_sample)}${ranking.buy_and_hold.held_out === null ? '' : `<small>in sample</small><small>held out ${formatMetric('total_return', ranking.buy_and_hold.held_out)}</small>`}</dd></div>`
  return `<dl class="tiles"><div><dt>Best of ${formatNumber(ranking.trials, 0)} trials</dt><dd>${paramsText(best.params)}<small>trial ${formatNumber(best.trial, 0)}</small></dd></div>${['total_return', 'sharpe_ratio', 'max_drawdown', 'total_trades'].map(tile).join('')}${hold}</dl>
<p class="soft">The best of ${formatNumber(ranking.trials, 0)} trials is the luckiest as well as the best: its in-sample figures are biased upwards${held === undefined ? '. Hold some bars back (holdout) to see how much.' : ', which is why the held-out ones stand beside them.'}</p>`
}

function heatSection({ heat_map: map, objective, direction }: SweepRankingDocument, best: ReportTrial | undefined): string {
  const names = Object.keys(best?.params ?? {})
  if (map === null) return ''
  if (map.y === null) {
    return `<h2>${label(objective)} by ${escapeHtml(map.x.name)}</h2>
<div class="chart" id="profile" role="img" aria-label="${label(objective)} by ${escapeHtml(map.x.name)}; the table below lists the best trials"></div>`
  }
  const { x, y } = map
  const others = names.filter((name) => name !== x.name && name !== y.name)
  const edge = (values: readonly number[]): string[] => [...new Set([values[0], values[values.length >> 1], values.at(-1)])].map(formatExact)
  // Choices may stand in any order; in a range that is binned the value lies between two bins' names.
  const nearestIndex = (values: readonly number[], wanted: number): number =>
    (values.includes(wanted) ? values.indexOf(wanted) : values.reduce((at, value, i) => (value <= wanted ? i : at), 0))
  const at = (values: readonly number[], wanted: number | undefined): number => (wanted === undefined ? 0 : ((nearestIndex(values, wanted) + 0.5) / values.length) * 100)
  const mark = best === undefined ? '' : `<span class="mark" style="left:${at(x.values, best.params[x.name]).toFixed(2)}%;top:${(100 - at(y.values, best.params[y.name])).toFixed(2)}%"></span>`
  return `<h2>${label(objective)} by ${escapeHtml(x.name)} and ${escapeHtml(y.name)}</h2>
<div class="heat"><div class="y title">${escapeHtml(y.name)}</div><div class="y">${edge(y.values).toReversed().map((one) => `<span>${one}</span>`).join('')}</div>
<div class="plot"><canvas id="heat" role="img" aria-label="Heat map of ${label(objective)}; the table below lists the best trials"></canvas>${mark}</div>
<div class="x">${edge(x.values).map((one) => `<span>${one}</span>`).join('')}</div><div class="x title">${escapeHtml(x.name)}</div></div>
<div class="legend"><span id="low"></span><i id="scale"></i><span id="high"></span><span>${direction === 'minimize' ? 'lower is better' : 'higher is better'}; the ring marks the best trial; blank: no trial${others.length === 0 ? '' : `; each cell is its best over ${others.map(escapeHtml).join(', ')}`}</span></div><p class="readout" id="readout" aria-live="polite"></p>`
}

function topSection({ top, holdout, buy_and_hold: hold }: SweepRankingDocument): string {
  const names = Object.keys(top[0]?.params ?? {})
  const held = holdout !== undefined
  const headings = ['#', 'trial', ...names.map(escapeHtml), ...COLUMNS.map((name) => SHORT[name]), ...(held ? HELD_OUT_COLUMNS.map((name) => SHORT[name]) : [])]
  const groups = held ? [{ title: '', columns: 2 + names.length }, { title: 'in sample', columns: COLUMNS.length }, { title: 'held out', columns: HELD_OUT_COLUMNS.length }] : []
  const metric = (values: MetricValues | undefined) => (name: string): Cell => ({ html: formatMetric(name, values?.[name]), sort: values?.[name] ?? null })
  const rows = top.map((trial, i): Cell[] => [
    { html: String(i + 1), sort: i + 1 }, { html: formatNumber(trial.trial, 0), sort: trial.trial },
    ...names.map((name) => ({ html: formatExact(trial.params[name]), sort: trial.params[name] ?? null })),
    ...COLUMNS.map(metric(trial.metrics)), ...(held ? HELD_OUT_COLUMNS.map(metric(trial.held_out)) : []),
  ])
  return `<h2>The best ${top.length} trials</h2>${table(headings, rows, true, groups)}
<p class="soft">Buy and hold: ${formatMetric('total_return', hold.in_sample)} in sample${hold.held_out === null ? '' : `, ${formatMetric('total_return', hold.held_out)} held out (from ${escapeHtml(holdout?.first_time.slice(0, 10) ?? '')})`}.</p>`
}

function paramsText(params: Readonly<Record<string, number>>): string {
  return Object.entries(params).map(([name, value]) => `${escapeHtml(name)}\u202f${formatExact(value)}`).join(', ')
}

/** `fast 5 to 50 by 1; slow 20, 50, 200`, in the order that decides the trials' numbers. */
function spaceText(spec: Readonly<Record<string, unknown>>): string {
  const space = (spec['space'] ?? {}) as Record<string, { choices?: readonly unknown[]; min?: number; max?: number; step?: number }>
  const order = (spec['space_order'] ?? Object.keys(space)) as readonly string[]
  return order.map((name) => {
    const { choices, min, max, step } = space[name] ?? {}
    return `${name} ${choices === undefined ? `${formatExact(min)} to ${formatExact(max)}${step === undefined ? '' : ` by ${formatExact(step)}`}` : choices.map((one) => (typeof one === 'number' ? formatExact(one) : String(one))).join(', ')}`
  }).join('; ')
}

export function span(time: Float64Array): string {
  return time.length === 0 ? '' : `${formatIsoTime(time[0]!).slice(0, 10)} to ${formatIsoTime(time.at(-1)!).slice(0, 10)}`
}
