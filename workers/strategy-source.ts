/**
 * A user's strategy file, compiled in the thread, never on the main thread.
 *
 * esbuild bundles the file with whatever it imports; `sweepmill` stays an import and means the engine alone, so no
 * strategy can reach Redis or Postgres through us. Nothing is written: a full disk is no fault of a strategy.
 */
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { build, stop } from 'esbuild'
import type { BuildFailure } from 'esbuild'
import { SweepmillError } from '../src/base/errors.js'
import { notRegular, readRegular } from '../src/base/regular-file.js'
import { ENGINE_IMPORT } from './guest-module.js'

/** Of a strategy's file, and of each that it imports. */
const MOST_SOURCE_BYTES = 2 ** 24
/** What esbuild says where the machine lacked something. */
const OF_MACHINE = /too many open files|no space left|cannot allocate memory|resource temporarily unavailable|input\/output error|\bE(?:MFILE|NFILE|NOSPC|NOMEM|AGAIN|IO|DQUOT)\b/i

export function hashSource(code: Uint8Array): string {
  return createHash('sha256').update(code).digest('hex')
}

/** One ES module with everything in it. Throws STRATEGY_INVALID with file and line of the first fault, and MACHINE_TROUBLE. */
export async function compileStrategy(file: string): Promise<Uint8Array> {
  try {
    const { outputFiles } = await build({
      // Named from its own folder: the code, and so its hash, must not depend on where the command was called.
      absWorkingDir: dirname(resolve(file)), entryPoints: [basename(file)], bundle: true, write: false, format: 'esm', platform: 'neutral', target: 'node20', sourcemap: 'inline',
      sourcesContent: false, logLevel: 'silent', mainFields: ['module', 'main'],
      plugins: [{
        name: 'engine', setup: (build) => {
          build.onResolve({ filter: /^sweepmill$/ }, () => ({ path: ENGINE_IMPORT, external: true }))
          build.onLoad({ filter: /.*/, namespace: 'file' }, ({ path }) => refuseSource(path))
        },
      }],
    })
    const [output] = outputFiles
    if (output === undefined) throw new SweepmillError('INVARIANT', 'esbuild wrote nothing.')
    return output.contents
  } catch (thrown) {
    const [first] = (thrown as Partial<BuildFailure>).errors ?? []
    if (first === undefined) {
      // Its process is gone or cannot be started; the next call starts another one.
      await stop()
      throw machineFault(file, thrown)
    }
    if (OF_MACHINE.test(first.text)) throw machineFault(file, thrown)
    const { location } = first
    const where = location === null ? basename(file) : `${location.file}:${location.line}:${location.column + 1}`
    const advice = first.text.startsWith('Could not resolve') ? '. A strategy may import "sweepmill", files beside it and installed packages that run anywhere; nothing of Node.js' : ''
    throw new SweepmillError('STRATEGY_INVALID', `${where}: ${first.text}${advice}`, { cause: thrown, details: { file, line: location?.line } })
  }
}

/** esbuild would wait for a pipe, and read a device without an end into the memory of its own process. */
function refuseSource(path: string): { readonly errors: { text: string }[] } | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined || (found.isFile() && found.size <= MOST_SOURCE_BYTES)) return undefined
  return { errors: [{ text: found.isFile() ? `${path} has ${found.size} bytes; a strategy imports files of at most ${MOST_SOURCE_BYTES}` : notRegular(found, path, 'The imported').message }] }
}

/** Reads and compiles the user's file. Throws FILE_NOT_FOUND, and what `compileStrategy` throws. */
export function compiledFile(file: string): Promise<Uint8Array> {
  readRegular(file, 'The strategy file', MOST_SOURCE_BYTES)
  return compileStrategy(file)
}

function machineFault(file: string, cause: unknown): SweepmillError {
  return new SweepmillError('MACHINE_TROUBLE', `The strategy file ${basename(file)} cannot be compiled now: ${(cause as Error).message}. That is no fault of the strategy.`, { cause, details: { file } })
}
