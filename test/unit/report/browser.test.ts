/** The report in a real browser: silent, asking nobody, as wide as the screen, and answering clicks. Needs a Chromium on this machine. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Browser } from 'playwright-core'
import { packageRoot } from '../../../src/base/package-root.js'
import { builtinStrategy, parseBacktestSpec, recordIndicators, renderBacktestReport, runBacktest, tradesCsv } from '../../../src/engine/index.js'
import type { BacktestSpecInput } from '../../../src/engine/index.js'
import { parseCsv } from '../../../src/market/read-csv.js'
import { renderSweepReport } from '../../../src/engine/report/sweep-report.js'
import { chromiumPath, labels, openChromium, overflow, VIEWS, visit } from '../../browser/chromium.js'

describe.skipIf(chromiumPath === undefined)(`a report in Chromium${chromiumPath === undefined ? ' (there is none on this machine)' : ''}`, () => {
  let browser: Browser
  let folder: string
  let file: string
  /** Reports of sweeps over two parameters and over one. */
  let sweeps: readonly string[]
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sweepmill-report-'))
    file = join(folder, 'report.html')
    const bars = parseCsv(readFileSync(join(packageRoot, 'samples', 'sp500-daily.csv')), 'sp500-daily.csv')
    const json = { strategy: { name: 'sma-cross', params: { fast: 10, slow: 20 } }, execution: { direction: 'both', stop_loss: 0.05 } } satisfies BacktestSpecInput
    const strategy = builtinStrategy('sma-cross')
    const result = runBacktest(bars, strategy, parseBacktestSpec(json, { barsGiven: true }))
    const uplot = dirname(createRequire(import.meta.url).resolve('uplot/dist/uPlot.min.css'))
    const assets = { uplotJs: readFileSync(join(uplot, 'uPlot.iife.min.js'), 'utf8'), uplotCss: readFileSync(join(uplot, 'uPlot.min.css'), 'utf8') }
    const metrics = { total_return: -1234.5, sharpe_ratio: 0.125, max_drawdown: -8, total_trades: 3000, win_rate: 0.5, profit_factor: null }
    const line = { x: { name: 'slow', values: Array.from({ length: 40 }, (_, k) => 100_000 + 50 * k) }, y: null, cells: Array.from({ length: 40 }, (_, k) => Math.sin(k) / 4), objective: 'sharpe_ratio' }
    const square = { ...line, y: { name: 'fast', values: [-2, -1, 0, 1] }, cells: Array.from({ length: 160 }, (_, k) => Math.sin(k) / 4) }
    sweeps = [square, line].map((map, k) => {
      const path = join(folder, `sweep-${k}.html`)
      writeFileSync(path, renderSweepReport({
        taskId: 't', source: 'bars.csv', spec: { strategy: { name: 'sma-cross' }, space: { slow: { min: 100_000, max: 101_950, step: 50 } } }, time: result.time, equity: result.equity, close: bars.close, tradesCsv: null,
        ranking: {
          trials: 12_345, result_hash: 'r', objective: 'sharpe_ratio', direction: 'maximize', bars: bars.length, data_hash: 'd', spec_hash: 's', engine_version: 'e', seed: 0,
          top: [{ trial: 1, params: { slow: 100_050, fast: -1 }, metrics }], warnings: [], buy_and_hold: { in_sample: 1, held_out: null }, heat_map: map,
        },
      }, assets))
      return path
    })
    writeFileSync(file, renderBacktestReport({
      taskId: 't', source: 'sp500-daily.csv', spec: json, summary: result.summary, time: result.time, equity: result.equity, close: bars.close, bars, tradesCsv: tradesCsv(result),
      indicators: (grid) => recordIndicators(strategy, bars, json.strategy.params, grid),
    }, assets))
    browser = await openChromium()
  })
  afterAll(async () => {
    await browser.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test.each(VIEWS)('at $width pixels, $colorScheme', async (view) => {
    const { page, complaints } = await visit(browser, file, view)
    expect(await overflow(page)).toBeLessThanOrEqual(0)
    expect(await page.locator('.chart canvas').count()).toBe(4)
    expect(complaints).toEqual([])
    await page.close()
  })

  test.each([1400, 390])('no label is cut off, every axis has three ticks, and numbers have one style, at %i pixels', async (width) => {
    for (const [path, log] of [[file, false], [file, true], ...sweeps.map((one) => [one, false] as const)] as const) {
      const { page, complaints } = await visit(browser, path, { width, colorScheme: 'light' })
      if (log) await page.locator('#log').click()
      const all = await labels(page)
      const charts = [...new Set(all.map(({ canvas }) => canvas))]
      expect(charts.length).toBeGreaterThanOrEqual(2)
      for (const canvas of charts) {
        const own = all.filter((one) => one.canvas === canvas)
        expect(own.filter(({ from, to, width: most }) => from < 0 || to > most)).toEqual([])
        expect(own.filter(({ align }) => align === 'right').length, `ticks of y in ${path}`).toBeGreaterThanOrEqual(3)
        const beside = own.filter(({ align }) => align === 'center')
        expect(new Set(beside.map(({ x }) => x)).size, `ticks of x in ${path}`).toBeGreaterThanOrEqual(3)
        // Labels of one line do not run into each other.
        for (const y of new Set(beside.map((one) => one.y))) {
          const line = beside.filter((one) => one.y === y)
          for (const [k, one] of line.entries()) expect(k === 0 || one.from > (line[k - 1]?.to ?? 0), one.text).toBe(true)
        }
      }
      const texts = [...all.map(({ text }) => text), await page.locator('main').innerText()]
      // Thousands by a thin blank and a true minus, in charts, legends and text; dates and names have hyphens of their own.
      expect(texts.flatMap((text) => text.match(/\d,\d{3}|(?<![\w-])-\d/g) ?? [])).toEqual([])
      for (const title of await page.locator('.heat .title').allTextContents()) expect(['slow', 'fast']).toContain(title)
      for (const tick of await page.locator('.heat .x:not(.title) span, .heat .y:not(.title) span').allTextContents()) expect(tick).toMatch(/^[\u2212\d\u202f.]+$/)
      expect(await page.locator('.shape text').evaluateAll((found) => found.filter((one) => {
        const { left, right, top, bottom } = one.getBoundingClientRect(), box = one.closest('svg')!.getBoundingClientRect()
        return left < box.left - 0.5 || right > box.right + 0.5 || top < box.top - 0.5 || bottom > box.bottom + 0.5
      }).map((one) => one.textContent))).toEqual([])
      expect([complaints, await overflow(page)]).toEqual([[], 0])
      await page.close()
    }
  })

  test('headings sort, choices filter, and a trade is shown', async () => {
    const { page, complaints } = await visit(browser, file, { width: 1400, colorScheme: 'light' })
    const pnl = page.locator('#trades th', { hasText: 'P&L' })
    await pnl.focus()
    await page.keyboard.press('Enter')
    const cells = await page.locator('#trades tbody tr td:nth-child(10)').evaluateAll((found) => found.map((cell) => Number(cell.getAttribute('data-sort'))))
    expect(cells.length).toBeGreaterThan(100)
    expect(cells).toEqual([...cells].sort((a, b) => a - b))
    expect(await pnl.getAttribute('aria-sort')).toBe('ascending')
    await page.locator('#filters select').first().selectOption('short')
    const sides = await page.locator('#trades tbody tr:visible td:nth-child(2)').allTextContents()
    expect(new Set(sides)).toEqual(new Set(['short']))
    expect(await page.locator('#shown').textContent()).toBe(`${sides.length} of ${cells.length} rows`)
    await page.locator('#trades tbody tr:visible [data-zoom]').first().click()
    await page.locator('#log').click()
    expect(complaints).toEqual([])
    await page.close()
  })
})
