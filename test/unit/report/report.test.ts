/** Reports: complete in one file, safe against hostile names, the same bytes for the same input. */
import { describe, expect, test } from 'vitest'
import { renderBacktestReport } from '../../../src/engine/report/backtest-report.js'
import { formatMetric, formatNumber, scriptJson } from '../../../src/engine/report/markup.js'
import { drawdown } from '../../../src/engine/report/chart-grid.js'
import { thinOut } from '../../../src/engine/report/series.js'
import { renderSweepReport } from '../../../src/engine/report/sweep-report.js'
import type { SweepReportInput } from '../../../src/engine/report/sweep-report.js'

const ASSETS = { uplotJs: 'var uPlot = function () {} // </script>', uplotCss: '.u{}' }
const HOSTILE = '<img src=x onerror=alert(1)>"\'&\u2028</script><!--'

function input(overrides: Partial<SweepReportInput> = {}): SweepReportInput {
  const time = Float64Array.from({ length: 10 }, (_, i) => Date.UTC(2020, 0, 1 + i))
  const metrics = { total_return: 12.5, sharpe_ratio: 1.25, max_drawdown: -8, total_trades: 3, win_rate: 0.5, profit_factor: null }
  return {
    taskId: 't', source: HOSTILE, spec: { strategy: { name: HOSTILE }, execution: { initial_cash: 100 }, space: { [HOSTILE]: { min: 1, max: 2 } }, constraint: HOSTILE },
    ranking: {
      trials: 4, result_hash: 'r', objective: 'sharpe_ratio', direction: 'maximize', bars: 10, data_hash: 'd', spec_hash: 's', engine_version: 'e', seed: 0,
      top: [{ trial: 1, params: { [HOSTILE]: 1 }, metrics, held_out: { ...metrics, sharpe_ratio: null } }], warnings: [HOSTILE],
      holdout: { share: 0.3, first_bar: 7, first_time: '2020-01-08T00:00:00.000Z' }, buy_and_hold: { in_sample: 1, held_out: 2 },
      heat_map: { x: { name: HOSTILE, values: [1, 2] }, y: { name: 'y', values: [1, 2] }, cells: [1, null, 0.5, 2], objective: 'sharpe_ratio' },
    },
    time, equity: time.map((_, i) => 100 + i), close: time.map((_, i) => 50 + i), ...overrides,
  }
}

describe('sweep report', () => {
  const html = renderSweepReport(input(), ASSETS)
  test('asks nobody for anything', () => {
    expect(html).not.toMatch(/(?:src|href)\s*=\s*["']?(?:https?:)?\/\//)
    expect(html).not.toMatch(/url\((?!data:)|@import|fetch\(|XMLHttpRequest/)
  })
  test('hostile names stay text', () => {
    expect(html).not.toContain('<img')
    for (const [, script] of html.matchAll(/<script[^>]*>(.*?)<\/script>/gs)) expect(script).not.toContain('\u2028')
    // Three scripts are opened and three closed: no name, no asset closes one early.
    expect([html.match(/<script/g)?.length, html.match(/<\/script>/g)?.length]).toEqual([3, 3])
    const json = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)?.[1] ?? ''
    expect((JSON.parse(json) as { name: string }).name).toBe(HOSTILE)
  })
  test('shows in sample beside held out, and a dash for what is null', () => {
    expect(html).toContain('held out')
    expect(html).toMatch(/Best of 4 trials/)
    expect(html).toContain('<td data-sort="">–</td>')
  })
  test('one parameter is a line, several are a map that says what its cells are the best of', () => {
    const { ranking } = input()
    const [best] = ranking.top
    if (best === undefined) throw new Error('no trial')
    const alone = renderSweepReport(input({ ranking: { ...ranking, heat_map: { x: { name: 'a', values: [1, 2] }, y: null, cells: [1, 2], objective: 'sharpe_ratio' } } }), ASSETS)
    expect([alone.includes('id="profile"'), alone.includes('<canvas')]).toEqual([true, false])
    const map = { x: { name: 'a', values: [1, 2] }, y: { name: 'b', values: [9, 3] }, cells: [1, 2, 3, 4], objective: 'sharpe_ratio' }
    const three = renderSweepReport(input({ ranking: { ...ranking, heat_map: map, top: [{ ...best, params: { a: 2, b: 9, c: 1 } }] } }), ASSETS)
    const spaces = { space: { b: { min: 1, max: 2, step: 1 }, a: { choices: [3, 1] } }, space_order: ['a', 'b'] }
    expect(renderSweepReport(input({ spec: { ...input().spec, ...spaces } }), ASSETS)).toContain('a 3, 1; b 1 to 2 by 1')
    expect(three).toContain('each cell is its best over c')
    // b = 9 is the first choice, so it lies in the lower half, whatever the order of the values.
    expect(three).toContain('left:75.00%;top:75.00%')
  })
  test('same input, same bytes', () => {
    expect(renderSweepReport(input(), ASSETS)).toBe(html)
  })
  test('a sweep without a ranked trial says so', () => {
    const { ranking } = input()
    expect(renderSweepReport(input({ ranking: { ...ranking, top: [] }, equity: new Float64Array(), time: new Float64Array() }), ASSETS)).toContain('nothing can be ranked')
  })
})

test('backtest report lists metrics and trades', () => {
  const { time, equity, close, spec } = input()
  const html = renderBacktestReport({
    taskId: 't', source: 's', spec, time, equity, close, bars: null,
    summary: { total_return: 9, sqn: null, cagr: 2, rejected_entries: 0, warnings: [HOSTILE], conventions: { periods_per_year: 252, periods_per_year_reason: 'because of weekends', returns: 'simple' } },
    tradesCsv: 'side,units,entry_bar,entry_time,entry_price,return\nlong,2,1,2020-01-02T00:00:00.000Z,51,0.015\n',
  }, ASSETS)
  expect(html).toContain('1.50\u202f%')
  expect(html).toContain('2020-01-02')
  expect(html).toMatch(/periods per year<\/dt><dd>252<[\s\S]*because of weekends/)
  // In the order of a reader's interest, not of the keys.
  expect(html).toMatch(/CAGR[\s\S]*SQN[\s\S]*Rejected entries<\/dt><dd>0</)
  expect(html).not.toContain('<img')
})

test('numbers', () => {
  expect([formatNumber(1234567.891), formatNumber(-0.001), formatNumber(null), formatMetric('win_rate', 0.5), formatMetric('total_return', -3)])
    .toEqual(['1\u202f234\u202f567.89', '0.00', '–', '50.0\u202f%', '\u22123.00\u202f%'])
  expect(scriptJson('</script>')).toBe('"\\u003c/script\\u003e"')
})

test('thinning keeps every low and high', () => {
  const n = 100_000
  const time = Float64Array.from({ length: n }, (_, i) => i * 1000)
  const equity = Float64Array.from({ length: n }, (_, i) => (i === 54_321 ? -5 : i === 77_777 ? 500 : Math.sin(i)))
  const { time: kept, columns } = thinOut(time, equity, [])
  expect(kept.length).toBeLessThanOrEqual(4001)
  expect([Math.min(...columns[0] ?? []), Math.max(...columns[0] ?? [])]).toEqual([-5, 500])
  expect([...drawdown(Float64Array.of(1, 2, 1, 4))]).toEqual([0, 0, -50, 0])
})
