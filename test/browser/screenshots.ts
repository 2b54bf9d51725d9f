/**
 * `node dist/test/browser/screenshots.js REPORT.html [FOLDER]`: pictures of a report, wide and narrow, light and dark. Exits with 1
 * when the page says, asks for or overflows anything.
 */
import { mkdirSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { openChromium, overflow, VIEWS, visit } from './chromium.js'

const [file, folder = '.'] = process.argv.slice(2)
if (file === undefined) throw new Error('Name the report: node dist/test/browser/screenshots.js REPORT.html [FOLDER]')
mkdirSync(folder, { recursive: true })
const browser = await openChromium()
for (const view of VIEWS) {
  const { page, complaints } = await visit(browser, resolve(file), view)
  const path = join(folder, `${basename(file, '.html')}-${view.width}-${view.colorScheme}.png`)
  await page.screenshot({ path, fullPage: true })
  const excess = await overflow(page)
  const all = [...complaints, ...(excess > 0 ? [`wider than the screen by ${excess} pixels`] : [])]
  console.log(`${path}: ${all.length === 0 ? 'nothing to complain of' : all.join('; ')}`)
  if (all.length > 0) process.exitCode = 1
}
await browser.close()
