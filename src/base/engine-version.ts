/** What a result depends on beside spec and data: this package, V8 (its Math) and the processor architecture. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from './package-root.js'

export const packageVersion: string = (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version

export const engineVersion = `${packageVersion}+v8-${process.versions.v8}-${process.arch}`
