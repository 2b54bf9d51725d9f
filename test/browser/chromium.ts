/** A page in a headless Chromium of this machine: what it says, asks for and looks like. */
import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'

/** Undefined where this machine has none. */
export const chromiumPath: string | undefined = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
  .find((path) => path !== undefined && existsSync(path))

export function openChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath ?? 'chromium', args: ['--no-sandbox', '--disable-gpu'] })
}

export interface Visit {
  readonly page: Page
  /** Errors of scripts, words on the console, and requests for anything but the file itself. */
  readonly complaints: readonly string[]
}

export interface View {
  readonly width: number
  readonly colorScheme: 'light' | 'dark'
}

export const VIEWS: readonly View[] = [1400, 390].flatMap((width) => (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })))

export async function visit(browser: Browser, file: string, { width, colorScheme }: View): Promise<Visit> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
  await page.addInitScript(RECORD)
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(`console ${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`))
  page.on('request', (request) => { if (!request.url().startsWith('file:')) complaints.push(`request: ${request.url()}`) })
  await page.goto(pathToFileURL(file).href)
  await page.locator('.chart canvas').first().waitFor()
  return { page, complaints }
}

/** What a canvas has written on it since it was last cleared. */
export interface Label {
  readonly canvas: number
  readonly text: string
  /** `right`: of the y axis; `center`: of the x axis. */
  readonly align: string
  /** Of the text's ends, in pixels of the canvas. */
  readonly from: number
  readonly to: number
  readonly x: number
  readonly y: number
  readonly width: number
}

const RECORD = `(() => {
  const proto = CanvasRenderingContext2D.prototype, fill = proto.fillText, clear = proto.clearRect, written = new Map()
  proto.clearRect = function (...at) { written.set(this.canvas, []); return clear.apply(this, at) }
  proto.fillText = function (text, x, y) {
    const long = this.measureText(text).width, from = this.textAlign === 'right' ? x - long : this.textAlign === 'center' ? x - long / 2 : x
    if (!written.has(this.canvas)) written.set(this.canvas, [])
    written.get(this.canvas).push({ text, align: this.textAlign, from, to: from + long, x, y, width: this.canvas.width })
    return fill.call(this, text, x, y)
  }
  window.labels = () => [...written].filter(([canvas]) => canvas.isConnected).flatMap(([, all], canvas) => all.map((one) => ({ canvas, ...one })))
})()`

export function labels(page: Page): Promise<Label[]> {
  return page.evaluate<Label[]>('labels()')
}

/** By how many pixels the page is wider than the screen. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}
