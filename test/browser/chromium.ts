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
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(`console ${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`))
  page.on('request', (request) => { if (!request.url().startsWith('file:')) complaints.push(`request: ${request.url()}`) })
  await page.goto(pathToFileURL(file).href)
  await page.locator('.chart canvas').first().waitFor()
  return { page, complaints }
}

/** By how many pixels the page is wider than the screen. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}
