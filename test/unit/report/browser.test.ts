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
import { chromiumPath, openChromium, overflow, VIEWS, visit } from '../../browser/chromium.js'

describe.skipIf(chromiumPath === undefined)(`a report in Chromium${chromiumPath === undefined ? ' (there is none on this machine)' : ''}`, () => {
  let browser: Browser
  let folder: string
  let file: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sweepmill-report-'))
    file = join(folder, 'report.html')
    const bars = parseCsv(readFileSync(join(packageRoot, 'samples', 'sp500-daily.csv')), 'sp500-daily.csv')
    const json = { strategy: { name: 'sma-cross', params: { fast: 10, slow: 20 } }, execution: { direction: 'both', stop_loss: 0.05 } } satisfies BacktestSpecInput
    const strategy = builtinStrategy('sma-cross')
    const result = runBacktest(bars, strategy, parseBacktestSpec(json, { barsGiven: true }))
    const uplot = dirname(createRequire(import.meta.url).resolve('uplot/dist/uPlot.min.css'))
    writeFileSync(file, renderBacktestReport({
      taskId: 't', source: 'sp500-daily.csv', spec: json, summary: result.summary, time: result.time, equity: result.equity, close: bars.close, bars, tradesCsv: tradesCsv(result),
      indicators: (grid) => recordIndicators(strategy, bars, json.strategy.params, grid),
    }, { uplotJs: readFileSync(join(uplot, 'uPlot.iife.min.js'), 'utf8'), uplotCss: readFileSync(join(uplot, 'uPlot.min.css'), 'utf8') }))
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
