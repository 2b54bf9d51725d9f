/**
 * A user's strategy file, compiled and loaded in the thread, never on the main thread.
 *
 * esbuild bundles the file with whatever it imports; `sweepmill` stays an import and means the engine alone, so no
 * strategy can reach Redis or Postgres through us. The code is written to the process's scratch folder and imported from there:
 * stack traces then name the user's file and line (inline source map), which a data: URL would not give.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { threadId } from 'node:worker_threads'
import { build } from 'esbuild'
import type { BuildFailure } from 'esbuild'
import { SweepmillError } from '../src/base/errors.js'
import { packageRoot } from '../src/base/package-root.js'
import { notRegular, readRegular } from '../src/base/regular-file.js'
import { threadOptions } from '../src/pool/thread-side.js'
import { builtinStrategy, defineStrategy } from '../src/engine/index.js'
import type { Strategy } from '../src/engine/index.js'
import { enterGuestCode, loadGuestCode, textOf } from './guest-code.js'

/** Stands in stored code for the engine, whose place differs from host to host. */
const ENGINE_IMPORT = 'sweepmill:engine'
const ENGINE_URL = pathToFileURL(join(packageRoot, 'dist', 'src', 'engine', 'index.js')).href

/** Of a strategy's file, and of each that it imports. */
const MOST_SOURCE_BYTES = 2 ** 24

process.setSourceMapsEnabled(true)
// Standard output belongs to the command's one document: what a strategy prints goes beside it.
process.stdout.write = process.stderr.write.bind(process.stderr)

const loaded = new Map<string, Promise<Strategy>>()

export function hashSource(code: Uint8Array): string {
  return createHash('sha256').update(code).digest('hex')
}

/** One ES module with everything in it. Throws STRATEGY_INVALID with file and line of the first fault. */
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
    if (first === undefined) throw thrown
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

/** Loads compiled code, once per content and thread. Throws STRATEGY_INVALID, STRATEGY_FAILED. */
export async function loadStrategy(code: Uint8Array): Promise<Strategy> {
  const hash = hashSource(code)
  enterGuestCode(hash)
  let strategy = loaded.get(hash)
  if (strategy === undefined) {
    strategy = importStrategy(code, hash, 0)
    loaded.set(hash, strategy)
  }
  return strategy
}

let copies = 0

/** A copy that shares no state with any other, for a check. Each stays in the thread's memory. Throws STRATEGY_INVALID, STRATEGY_FAILED. */
export async function freshStrategy(code: Uint8Array): Promise<Strategy> {
  const hash = hashSource(code)
  enterGuestCode(hash)
  copies += 1
  return importStrategy(code, hash, copies)
}

/** Reads and compiles the user's file. Throws FILE_NOT_FOUND, STRATEGY_INVALID. */
export function compiledFile(file: string): Promise<Uint8Array> {
  readRegular(file, 'The strategy file', MOST_SOURCE_BYTES)
  return compileStrategy(file)
}

async function importStrategy(code: Uint8Array, hash: string, copy: number): Promise<Strategy> {
  const folder = join(threadOptions().scratchFolder, hash)
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${threadId}-${copy}.mjs`)
  writeFileSync(path, Buffer.from(code).toString('utf8').replaceAll(JSON.stringify(ENGINE_IMPORT), JSON.stringify(ENGINE_URL)))
  let module: { default?: unknown }
  try {
    module = await loadGuestCode(hash, () => import(pathToFileURL(path).href) as Promise<{ default?: unknown }>)
  } catch (thrown) {
    throw new SweepmillError('STRATEGY_INVALID', `The strategy file fails while it loads: ${textOf(thrown)}${placeOf(thrown)}`, { cause: thrown })
  }
  if (module.default === undefined) {
    throw new SweepmillError('STRATEGY_INVALID', 'The strategy file has no default export. End it with `export default defineStrategy({ … })`.')
  }
  const { name: ownName } = (module.default ?? {}) as { name?: unknown }
  if (typeof module.default !== 'object' || typeof ownName !== 'string') {
    throw new SweepmillError('STRATEGY_INVALID', 'The default export of the strategy file is no strategy: it has no name. End the file with `export default defineStrategy({ name: …, params: …, signals … })`.')
  }
  return defineStrategy(module.default as Parameters<typeof defineStrategy>[0])
}

/** The first stack line that stands in the user's own file. The folder is left out: it is the private one of the compiled code. */
export function firstPlace(stack: string | undefined): string {
  const line = stack?.split('\n').find((one) => /^\s+at\s/.test(one) && !one.includes('node:') && !one.includes('/dist/'))
  const place = /\(?([^()\s]+:\d+:\d+)\)?$/.exec(line ?? '')?.[1]
  return place === undefined ? '' : ` (at ${basename(place)})`
}

function placeOf(thrown: unknown): string {
  return thrown instanceof Error ? firstPlace(thrown.cause instanceof Error ? thrown.cause.stack : thrown.stack) : ''
}

/** The strategy of a spec: the code that came along, else a built-in one. */
export async function strategyOf(name: string, code: Uint8Array | undefined): Promise<Strategy> {
  return code === undefined ? builtinStrategy(name) : loadStrategy(code)
}
