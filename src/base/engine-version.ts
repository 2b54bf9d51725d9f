/** What a result depends on beside spec and data: this package, its numbers, V8 (its Math) and the processor architecture. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from './package-root.js'

export const packageVersion: string = (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version

/**
 * Raised by every change after which the same spec and data give other numbers: a sweep that such a change interrupts starts
 * over, and rows of before are not mixed with rows of after. 2: levels are decimals, indicators know no unit, days are the market's.
 */
const REVISION = 2

export const engineVersion = `${packageVersion}+r${REVISION}.v8-${process.versions.v8}-${process.arch}`
