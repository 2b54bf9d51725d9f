#!/usr/bin/env node
/**
 * The executable: hands the process's arguments, streams and environment to the program and ends with
 * its exit code. A reader of standard output that goes away (`| head`) is no error.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../base/clock.js'
import { packageRoot } from '../base/package-root.js'
import { environment } from '../runtime/config.js'
import { runProgram } from './program.js'
import { openWorkbench } from './open-workbench.js'
import { bytesTo } from './stdout-bytes.js'

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

/** A handle that nobody closed must not keep a finished command alive; this fires only if one does. */
const GRACE_MS = 3000

const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }

process.exitCode = await runProgram(process.argv.slice(2), {
  env: environment(), stdout: process.stdout, stderr: process.stderr, writeStdout: bytesTo(process.stdout), clock: systemClock, version, openWorkbench,
})
systemClock.after(GRACE_MS, () => process.exit())
