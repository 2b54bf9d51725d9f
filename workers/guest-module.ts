/**
 * Stored code of a strategy, which is an ES module of esbuild's, as a function that a realm can call. Written anew are only the
 * statements that a function cannot have: what is imported of the engine, and what is exported; lines stay where they are.
 */
import { SourceMap } from 'node:module'
import type { SourceMapPayload } from 'node:module'
import { basename } from 'node:path'
import { stop, transform } from 'esbuild'
import type { TransformFailure } from 'esbuild'
import { SweepmillError } from '../src/base/errors.js'
import * as engine from '../src/engine/index.js'

/** Stands in stored code for the engine. */
export const ENGINE_IMPORT = 'sweepmill:engine'
/** What V8 calls the code; no file has this name. */
export const MODULE_NAME = 'sweepmill-strategy.mjs'

const IMPORT = /^import (?:(.+) from )?"sweepmill:engine";$/gm
const EXPORT_LIST = /^export \{([^}]*)\};$/gm
const EXPORT_DEFAULT = /^export default (.*)$/m
const EXPORT_ALL = /^export \* from "sweepmill:engine";$/gm

/** Throws STRATEGY_INVALID for an import that the engine does not have. */
export async function guestScript(code: string): Promise<string> {
  const imports: string[] = []
  let body = code.replaceAll(IMPORT, (_all, clause: string | undefined) => {
    if (clause !== undefined) imports.push(bindings(clause))
    return ''
  }).replaceAll(EXPORT_ALL, '')
  const list = [...body.matchAll(EXPORT_LIST)].at(-1)
  let exported = 'undefined'
  if (list !== undefined) {
    exported = list[1]?.split(',').map((one) => /^\s*(\S+) as default\s*$/.exec(one)?.[1]).find((name) => name !== undefined) ?? 'undefined'
    body = `${body.slice(0, list.index)}${list[0].replaceAll(/[^\n]/g, '')}${body.slice(list.index + list[0].length)}`
  }
  // Only of a CommonJS file: everything else is in the list.
  if (list === undefined) {
    body = body.replace(EXPORT_DEFAULT, (_all, value: string) => {
      exported = 'sweepmill_default'
      return `const sweepmill_default = ${value}`
    })
  }
  if (/\bimport\b/.test(body)) body = await withoutImports(body)
  return `(function (sweepmill) { "use strict"; ${imports.join(' ')} return (function () {\n${body}\nreturn { default: ${exported} }\n})() })`
}

/** `{ a, b as c }`, `* as all`, `name` and both: constants of the function around. */
function bindings(clause: string): string {
  const list = /\{(.*)\}/.exec(clause)?.[1]
  const all = /\* as (\S+)/.exec(clause)?.[1]
  const preset = /^([\w$]+)(?:,|$)/.exec(clause)?.[1]
  const named = (list ?? '').split(',').map((one) => one.trim()).filter((one) => one !== '').map((one) => one.split(' as ') as [string, string?])
  if (preset !== undefined) named.push(['default', preset])
  for (const [name] of named) {
    if (!Object.hasOwn(engine, name)) throw new SweepmillError('STRATEGY_INVALID', `The strategy file imports "${name}" from "sweepmill", which has nothing of that name.`)
  }
  return `const { ${named.map(([name, own]) => (own === undefined ? name : `${name}: ${own}`)).join(', ')} } = sweepmill;${all === undefined ? '' : ` const ${all} = sweepmill;`}`
}

/**
 * `import()` gives a strategy a promise and errors of the thread, so the word must not be left in the code. Where it is there at
 * all, in a text or a name too, esbuild tells them apart.
 */
async function withoutImports(body: string): Promise<string> {
  try {
    const { code } = await transform(body, { loader: 'js', format: 'cjs', target: 'node20', supported: { 'dynamic-import': false }, sourcemap: 'inline', sourcesContent: false, logLevel: 'silent' })
    return code
  } catch (cause) {
    const { errors: [fault] = [] } = cause as Partial<TransformFailure>
    if (fault !== undefined) throw new SweepmillError('STRATEGY_INVALID', `The strategy file cannot be read as a program: ${fault.text}.`, { cause })
    // Its process is gone or cannot be started; the next call starts another one.
    await stop()
    throw new SweepmillError('MACHINE_TROUBLE', `A strategy cannot be loaded now: ${(cause as Error).message}. That is no fault of the strategy.`, { cause })
  }
}

const INLINE_MAP = /^\/\/# sourceMappingURL=data:application\/json;(?:charset=utf-8;)?base64,([A-Za-z0-9+/=]+)\s*$/gm

/** The first line of a stack that stands in the user's own file, by the map at the end of the code. */
export function placeIn(script: string, stack: string): string {
  const line = stack.split('\n').find((one) => /^\s+at\s/.test(one) && one.includes(MODULE_NAME))
  const [, at, column] = /:(\d+):(\d+)\)?$/.exec(line ?? '') ?? []
  const map = [...script.matchAll(INLINE_MAP)].at(-1)?.[1]
  if (at === undefined || column === undefined || map === undefined) return ''
  const payload = JSON.parse(Buffer.from(map, 'base64').toString('utf8')) as SourceMapPayload
  const entry = new SourceMap(payload).findEntry(Number(at) - 1, Number(column) - 1)
  return 'originalSource' in entry ? ` (at ${basename(entry.originalSource)}:${entry.originalLine + 1}:${entry.originalColumn + 1})` : ''
}
