/** The layer table of ARCHITECTURE.md, enforced: who may import whom, what only one folder may import, no cycles. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  'src/base': [],
  'src/market': ['src/base'],
  'src/engine': ['src/base', 'src/market'],
  'src/tasks': ['src/base', 'src/market', 'src/engine'],
  'src/saga': ['src/base', 'src/tasks'],
  'src/workflows': ['src/base', 'src/market', 'src/engine', 'src/tasks', 'src/saga'],
  'src/exchange': ['src/base', 'src/tasks'],
  'src/queue': ['src/base', 'src/tasks'],
  'src/store': ['src/base', 'src/market', 'src/tasks', 'src/saga'],
  'src/pool': ['src/base', 'src/market', 'src/tasks'],
  'src/runtime': ['src/base', 'src/market', 'src/engine', 'src/tasks', 'src/saga', 'src/workflows', 'src/queue', 'src/store', 'src/pool', 'src/exchange'],
  'src/telemetry': ['src/base', 'src/tasks'],
  'src/services': ['src/base'],
  'src/http': ['src/base', 'src/tasks', 'src/runtime', 'src/telemetry', 'src/engine', 'src/workflows'],
  'src/cli': ['src/base', 'src/market', 'src/engine', 'src/tasks', 'src/saga', 'src/workflows', 'src/queue', 'src/store', 'src/pool', 'src/runtime', 'src/telemetry', 'src/services', 'src/http'],
  'workers': ['src/base', 'src/market', 'src/engine', 'src/pool'],
}
/** Packages that one folder alone may import. Services may use the two clients to probe readiness. */
const OWNED: Readonly<Record<string, readonly string[]>> = {
  ioredis: ['src/queue', 'src/services'], pg: ['src/store', 'src/services'], piscina: ['src/pool'], 'prom-client': ['src/telemetry'], fastify: ['src/http'],
  'hyparquet-writer': ['workers'],
}

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

function sources(folder: string): string[] {
  return readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts')).map((file) => join(folder, file))
}

const files = [...sources('src'), ...sources('workers')]

function importsOf(file: string): Import[] {
  const text = readFileSync(join(packageRoot, file), 'utf8')
  const found = text.matchAll(/^(?:import|export)\s+(type\s+)?[^'"]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|\bimport\(['"]([^'"]+)['"]\)/gm)
  return [...found].map(([, type, from, bare, dynamic]) => {
    const to = from ?? bare ?? dynamic ?? ''
    return { from: file, to: to.startsWith('.') ? normalize(join(dirname(file), to)).replace(/\.js$/, '.ts') : to, typeOnly: type !== undefined }
  })
}

const imports = files.flatMap(importsOf)
const layerOf = (file: string): string => (file.startsWith('workers') ? 'workers' : file.split('/').slice(0, 2).join('/'))

test('every import respects the layers', () => {
  const broken = imports.filter(({ from, to }) => {
    if (!to.startsWith('src/') && !to.startsWith('workers/')) return false
    const [here, there] = [layerOf(from), layerOf(to)]
    return here !== there && here !== 'src/index.ts' && !(ALLOWED[here] ?? []).includes(there)
  })
  expect(broken.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
})

test('the engine imports nothing of Node and only the layout of market', () => {
  const broken = imports.filter(({ from, to }) => from.startsWith('src/engine/')
    && (to.startsWith('node:') || (to.startsWith('src/market/') && to !== 'src/market/layout.ts')))
  expect(broken.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
})

test('each adapter owns its package', () => {
  const broken = imports.filter(({ from, to }) => to in OWNED && !(OWNED[to] ?? []).includes(layerOf(from)))
  expect(broken.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
})

test('there is no import cycle', () => {
  const next = new Map<string, string[]>()
  for (const { from, to } of imports) if (to.endsWith('.ts')) next.set(from, [...next.get(from) ?? [], to])
  const state = new Map<string, 'open' | 'done'>()
  const cycles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return
    if (state.get(file) === 'open') { cycles.push([...path.slice(path.indexOf(file)), file].join(' → ')); return }
    state.set(file, 'open')
    for (const one of next.get(file) ?? []) visit(one, [...path, file])
    state.set(file, 'done')
  }
  for (const file of files) visit(file, [])
  expect(cycles).toEqual([])
})

test('files are kebab-case nouns, and clocks and randomness have their own files', () => {
  const badNames = files.filter((file) => !/^[a-z0-9-]+\.ts$/.test(file.split('/').at(-1) ?? '') || /(^|\/)(utils|helpers|common|types|manager|service)\.ts$/.test(file))
  expect(badNames).toEqual([])
  const raw = /\bDate\.now\(|\bMath\.random\(|\brandomUUID\(|\bperformance\.now\(|\bsetTimeout\(|\bsetInterval\(/
  const owners = new Set(['src/base/clock.ts', 'src/base/ids.ts'])
  const broken = files.filter((file) => !owners.has(file) && readFileSync(join(packageRoot, file), 'utf8').split('\n')
    .some((line) => raw.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line)))
  // Processes of their own (the supervisor) and threads (measuring a trial's cost) have no injected clock.
  expect(broken.filter((file) => !file.startsWith('src/services/') && !file.startsWith('workers/'))).toEqual([])
})

test('a source file fits one sitting', () => {
  const long = files.map((file) => ({ file: relative('.', file), lines: readFileSync(join(packageRoot, file), 'utf8').split('\n').length }))
    .filter(({ lines }) => lines > 320)
  expect(long).toEqual([])
})
