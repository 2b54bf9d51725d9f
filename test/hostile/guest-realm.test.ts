/** Hostile strategies beside an honest one in the same threads: its rows and its results stay what they were, and every thread goes on. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { packageRoot } from '../../src/base/package-root.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import type { ComputeReply, ComputeRequest } from '../../src/tasks/compute-pool.js'

const FILE = join(packageRoot, 'samples', 'sp500-daily.csv')
const scratch = mkdtempSync(join(tmpdir(), 'sweepmill-hostile-'))
const THREADS = 2
const pool = createComputePool({ threads: THREADS, clock: systemClock, heapMb: 256 })
afterAll(async () => {
  await pool.close()
  rmSync(scratch, { recursive: true, force: true })
})

function run(step: string, input: unknown, rest: Partial<ComputeRequest> = {}): Promise<ComputeReply> {
  return pool.run({ step, input, priority: 'low', divisible: true, userCode: true, ...rest })
}

interface Compiled { readonly code: Uint8Array; readonly hash: string }

let files = 0
async function compiled(text: string, signal?: AbortSignal): Promise<Compiled> {
  files += 1
  const file = join(scratch, `mine${files}.ts`)
  writeFileSync(file, text)
  const { json, bytes } = await run('describe_strategy', { file }, signal === undefined ? {} : { signal })
  return { code: bytes['code'] ?? new Uint8Array(), hash: (JSON.parse(json) as { source_hash: string }).source_hash }
}

/** `reach` says ESCAPED if anything it is shown leads out of the realm. */
const PRELUDE = `import { defineStrategy } from 'sweepmill'
const g: any = globalThis
const seen: any[] = []
let isReaching = false
function reach(x: any): void {
  if (isReaching || x === null || (typeof x !== 'object' && typeof x !== 'function')) return
  isReaching = true
  try { climb(x) } finally { isReaching = false }
}
function climb(x: any): void {
  let chain: any = x
  for (let i = 0; i < 8 && chain !== null && chain !== undefined; i += 1, chain = Object.getPrototypeOf(chain)) {
    for (const key of Reflect.ownKeys(chain)) {
      let found: any
      try { found = Reflect.get(chain, key, x) } catch { continue }
      if (typeof found !== 'function' || found === g[key as any] || found === g.console[key as any] || key === 'write') continue
      for (const one of [found, found.constructor]) {
        let got: any
        try { got = one('return process')() } catch { continue }
        if (typeof got?.versions?.node === 'string') { got.exitCode = 99; throw new Error('ESCAPED by ' + String(key)) }
      }
    }
  }
}
`

function strategy(inCall: string, atLoad = ''): string {
  return `${PRELUDE}${atLoad}
export default defineStrategy({ name: 'x', params: { n: { min: 2, max: 50, step: 1, default: 5 } }, signals(bars, { n }, ta): any {
  const { close, volume, time } = bars
  ${inCall}
  return { longEntry: ta.crossAbove(close, ta.sma(close, n)), longExit: ta.crossBelow(close, ta.sma(close, n)) }
} })`
}

const HONEST = `import { defineStrategy } from 'sweepmill'
export default defineStrategy({ name: 'honest', params: { fast: { min: 2, max: 60, step: 1, default: 5 }, slow: { min: 20, max: 200, step: 1, default: 50 } },
  signals({ close, volume }, { fast, slow }, ta) {
    const [a, b] = [ta.ema(close, fast), ta.sma(close, slow)]
    const quiet = ta.sma(volume, slow)
    return { longEntry: Array.from(close, (price, i) => Math.max(price, a[i]!) > b[i]! && volume[i]! > 0.5 * quiet[i]!).map((x) => (x ? 1 : 0)), longExit: ta.crossBelow(a, b) }
  } })`

/** `either`: what it breaks in its own realm may fail it, or keep it running until it is stopped. */
type Fate = 'fails' | 'passes' | 'either' | 'never ends'
type Hostile = readonly [what: string, fate: Fate, inCall: string, atLoad?: string]

const DEEP = 'function deep(then: () => void): void { try { deep(then) } catch (e) { reach(e) } try { then() } catch (e) { reach(e) } }'
const WRITES: readonly Hostile[] = [
  ['multiplies a column of its bars', 'fails', 'for (let i = 0; i < close.length; i += 1) close[i]! *= 1.5'],
  ['writes one bit in the middle of a trial', 'fails', 'volume[2000]! += 1'],
  ['writes and throws', 'fails', 'close.fill(1); throw new Error("after writing")'],
  ['writes and throws what cannot be shown', 'fails', 'time.fill(1); throw { get message() { throw 1 }, toString() { throw 2 } }'],
  ['writes through the buffer', 'fails', 'new Uint8Array(close.buffer).fill(7)'],
  ['writes the header before the columns', 'fails', 'new Uint8Array(close.buffer)[0] = 0'],
  ['sorts its bars', 'fails', 'close.sort()'],
  ['writes with Atomics', 'fails', 'Atomics.add(new Int32Array(close.buffer), 1000, 1)'],
  ['hides the size of its buffer and writes', 'fails', 'Object.defineProperty(close.buffer, "byteLength", { value: 0 }); close[0] = 1'],
  ['writes in a microtask', 'fails', 'void Promise.resolve().then(() => { close[5] = 0 })'],
  ['gives its buffer away', 'either', '(close.buffer as any).transfer?.()'],
]
const POISONS: readonly Hostile[] = [
  ['replaces Array.prototype.map', 'either', 'Array.prototype.map = (() => [1]) as any'],
  ['replaces Math.max', 'either', 'Math.max = () => 0; Math.min = () => 1e9; Math.sqrt = () => 3'],
  ['removes Promise', 'either', 'g.Promise = null'],
  ['adds to Object.prototype', 'either', '(Object.prototype as any).x = 1; (Object.prototype as any).toJSON = () => "mine"'],
  ['replaces JSON', 'either', 'JSON.stringify = () => "{\\"json\\":{}}"; JSON.parse = () => ({})'],
  ['replaces the parser with one that throws', 'either', 'JSON.parse = () => { throw 1 }', 'JSON.stringify = () => { throw 2 }'],
  ['replaces the iterators', 'either', 'Array.prototype[Symbol.iterator] = function* () { yield 1 } as any'],
  ['replaces Map and Set', 'either', 'g.Map.prototype.get = () => close; g.Map.prototype.set = () => close; g.Set.prototype.has = () => true'],
  ['replaces typed arrays', 'either', 'g.Float64Array = class { constructor() { return new Proxy({}, {}) } }; g.Uint8Array = g.Float64Array; g.ArrayBuffer = g.Float64Array'],
  ['replaces slice and fill of typed arrays', 'either', 'Object.getPrototypeOf(Float64Array.prototype).slice = () => close; Object.getPrototypeOf(Float64Array.prototype).fill = () => close'],
  ['replaces String', 'either', 'g.String = () => ({ slice: () => g }); String.prototype.slice = (() => ({ length: 3 })) as any; g.console.table?.call; throw new Error("x")'],
  ['replaces Number.isFinite and Object.keys', 'either', 'Number.isFinite = () => true; Object.keys = () => ["a"]; Object.entries = () => []; Object.freeze = (x: any) => x'],
  ['replaces ta', 'either', 'const all: any = ta; for (const key of Object.keys(all)) all[key] = () => close'],
  ['replaces the functions of the engine', 'either', '', 'import * as engine from "sweepmill"\nfor (const key of Object.keys(engine)) { try { (engine as any)[key] = () => 1 } catch {} }'],
  ['freezes everything', 'either', 'for (const name of Object.getOwnPropertyNames(g)) { try { Object.freeze(g[name]); Object.freeze(g[name].prototype) } catch {} } Object.freeze(g)'],
  ['poisons the species', 'either', 'Object.defineProperty(Object.getPrototypeOf(Float64Array), Symbol.species, { get() { return class { constructor() { return [] } } } })'],
  ['replaces Error', 'either', 'g.Error = class { constructor() { return g } }; throw new TypeError("mine")'],
]
const ESCAPES: readonly Hostile[] = [
  ['asks for process', 'fails', 'g.process.exit(1)'],
  ['asks for a built-in module', 'fails', 'g.process.getBuiltinModule("fs")'],
  ['kills', 'fails', 'g.process.kill(g.process.pid, 9)'],
  ['looks at the environment', 'passes', 'if (Object.keys(g.process.env).length > 0) throw new Error("ESCAPED: an environment")'],
  ['calls require', 'fails', 'g.require("node:fs")'],
  ['makes a function of a text', 'fails', 'g.Function("return process")()'],
  ['evaluates a text', 'fails', '(0, eval)("process")'],
  ['climbs by its global', 'passes', 'reach(g); reach(g.constructor); reach(Object.getPrototypeOf(g))'],
  ['climbs by its arguments', 'passes', 'reach(bars); reach(ta); reach(close); reach(close.buffer); reach(g.console); reach(g.crypto); reach(g.performance); reach(g.process)'],
  ['climbs by its own call', 'passes', 'const f: any = function () { try { reach(f.caller) } catch {} try { reach((arguments as any).callee.caller) } catch {} }; f()'],
  ['climbs by the lines of a stack', 'either', 'Error.prepareStackTrace = ((_e: any, lines: any) => { reach(lines); for (const one of lines) { reach(one); reach(one.getThis?.()); reach(one.getFunction?.()) } return "s" }) as any; void new Error("x").stack; throw new Error("y")'],
  ['climbs by an error of a full stack', 'passes', 'deep(() => { void new Error("x").stack })', DEEP],
  ['climbs by an error of a full stack in what the thread does for it', 'passes', 'deep(() => { g.performance.now(); g.crypto.randomUUID() })', DEEP],
  ['climbs by an error while a stack is written', 'passes', 'const e: any = new Error("x"); e.name = Symbol(); try { void e.stack } catch (x) { seen.push(x); reach(x); reach(Object.getPrototypeOf(x)) }'],
  ['keeps such an error for the next call', 'passes', 'for (const x of seen) reach(x); const e: any = new Error("x"); e.name = Symbol(); try { void e.stack } catch (x) { seen.push(x) }'],
  ['imports while it runs', 'passes', 'const name = "node:fs"; import(name).then(reach, reach)'],
  ['imports while it loads', 'either', '', 'const p: any = (() => { try { const name = "x"; return import(name) } catch (e) { return e } })(); reach(p); p.then?.(reach, reach)'],
  ['gives a proxy for its masks', 'either', 'return { longEntry: new Proxy(new Uint8Array(close.length), { get(t, k, r) { reach(r); return Reflect.get(t, k) } }) }'],
  ['gives a proxy for its parts', 'either', 'return new Proxy({}, { get(t, k, r) { reach(r); return undefined }, ownKeys() { reach(this); return [] } })'],
  ['is a proxy itself', 'either', '', 'g.own = new Proxy({ name: "x", params: {}, signals: () => ({}) }, { get(t: any, k, r) { reach(r); return t[k] } }); defineStrategy(g.own)'],
  ['throws a proxy', 'fails', 'throw new Proxy(new Error("x"), { get(t: any, k, r) { reach(r); return t[k] }, getPrototypeOf(t) { reach(t); return Error.prototype } })'],
  ['rejects with a proxy', 'never ends', 'void Promise.reject(new Proxy({}, { get(_t, _k, r) { reach(r); return 1 }, getPrototypeOf() { for (;;); } }))'],
  ['answers with a thenable', 'either', 'return { longEntry: new Uint8Array(close.length), then(f: any) { reach(f) } }'],
  ['compiles machine code', 'fails', 'new g.WebAssembly.Module(new Uint8Array(8))'],
  ['waits for a collection', 'fails', 'new g.FinalizationRegistry(() => { for (;;); })'],
]
const LEAVES: readonly Hostile[] = [
  ['rejects late', 'fails', 'void (async () => { for (let i = 0; i < 50; i += 1) await null; throw new Error("late") })()'],
  ['rejects a thousand times', 'fails', 'for (let i = 0; i < 1000; i += 1) void Promise.reject(new Error("late"))'],
  ['sets a timer', 'fails', 'setTimeout(() => { for (;;); }, 1500)'],
  ['throws a text of 50 MB', 'fails', 'throw new Error("x".repeat(5e7))'],
  ['throws details of 50 MB', 'fails', 'throw { message: "x".repeat(5e7), details: "y".repeat(5e7) }'],
  ['recurses for ever', 'fails', 'const f = (): number => f() + 1; f()'],
  ['has a JSON bomb for a warning', 'either', 'let x: any = []; for (let i = 0; i < 1e5; i += 1) x = [x]; JSON.stringify = (() => { throw x }) as any; throw x'],
]
const ENDLESS: readonly Hostile[] = [
  ['loops', 'never ends', 'for (;;);'],
  ['loops at its loading', 'never ends', '', 'for (;;);'],
  ['loops in microtasks', 'never ends', 'const again = (): Promise<void> => Promise.resolve().then(again); void again()'],
  ['loops in a getter of its masks', 'never ends', 'return { get longEntry() { for (;;); } }'],
  ['loops in what it throws', 'never ends', 'throw { toString() { for (;;); } }'],
  ['loops in rejections', 'never ends', 'for (;;) void Promise.reject(new Error("x")).catch(() => undefined)'],
  ['searches a pattern', 'never ends', 'void /^(a+)+$/.test("a".repeat(60) + "b")'],
  ['waits for memory', 'never ends', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)'],
]
const EATERS: readonly Hostile[] = [
  ['eats the heap', 'fails', 'const all: any[] = []; for (;;) all.push(new Array(1e5).fill(all.length))'],
  ['asks for a buffer of a terabyte', 'fails', 'new ArrayBuffer(1e12)'],
]

let honest: Compiled
let bars: SharedArrayBuffer
let whole: string
let single: string
const RANGES: readonly (readonly [number, number])[] = [[0, 40], [40, 80], [80, 120], [120, 160]]

async function honestRows(range: readonly [number, number]): Promise<string> {
  const spec = { file: FILE, strategy: { name: 'honest', params: {} }, strategy_hash: honest.hash, space: { fast: { min: 4, max: 19, step: 1 }, slow: { min: 30, max: 120, step: 10 } } }
  const { bytes } = await run('run_trials', { spec, ranges: [range] }, { shared: { bars }, bytes: { code: honest.code } })
  return createHash('sha256').update(bytes['q:0'] ?? '').digest('hex')
}

async function backtest({ code, hash }: Compiled, name: string, signal?: AbortSignal): Promise<string> {
  const { json } = await run('backtest', { spec: { file: FILE, strategy: { name }, strategy_hash: hash } }, { shared: { bars }, bytes: { code }, ...(signal === undefined ? {} : { signal }) })
  return json
}

async function builtIn(): Promise<string> {
  return (await run('backtest', { spec: { file: FILE, strategy: { name: 'ema-cross' } } }, { shared: { bars }, userCode: false })).json
}

const both = <T>(call: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: THREADS }, call))
const rows = (): Promise<string[]> => Promise.all(RANGES.map(honestRows))

let rowsBefore: readonly string[] = []
beforeAll(async () => {
  bars = (await run('parse_bars', { file: FILE, source: 'sp500-daily.csv' }, { userCode: false })).shared['bars'] ?? new SharedArrayBuffer(0)
  honest = await compiled(HONEST)
  rowsBefore = await rows()
  single = await backtest(honest, 'honest')
  whole = await builtIn()
})

/** Its fate: the code of its error, or that it passed. Beside it the honest sweep goes on. */
async function meet([, fate, inCall, atLoad = '']: Hostile): Promise<string> {
  const stop = new AbortController()
  let isRunning = atLoad !== ''
  const met = (async () => {
    const mine = await compiled(strategy(inCall, atLoad), stop.signal)
    isRunning = true
    await backtest(mine, 'x', stop.signal)
    const spec = { file: FILE, strategy: { name: 'x', params: {} }, strategy_hash: mine.hash, space: { n: { min: 5, max: 9, step: 1 } } }
    await run('run_trials', { spec, ranges: [[0, 5]] }, { shared: { bars }, bytes: { code: mine.code }, signal: stop.signal })
    return 'passed'
  })().catch((error: unknown) => {
    const { code, message } = error as { code: string; message: string }
    expect(message).not.toContain('ESCAPED')
    expect(message.length).toBeLessThan(20_000)
    return code
  }).finally(() => { isRunning = true })
  for (let k = 0, left = 1; left >= 0; k = (k + 1) % RANGES.length) {
    if (isRunning) left -= 1
    expect(await honestRows(RANGES[k] ?? [0, 0])).toBe(rowsBefore[k])
  }
  if (fate === 'never ends' || fate === 'either') stop.abort()
  return met
}

test.each([...WRITES, ...POISONS, ...ESCAPES, ...LEAVES, ...ENDLESS, ...EATERS])('a strategy that %s (%s) harms nobody', async (...hostile) => {
  const fate = await meet(hostile as unknown as Hostile)
  if (hostile[1] === 'fails') expect(['STRATEGY_FAILED', 'STRATEGY_INVALID', 'OUT_OF_MEMORY']).toContain(fate)
  if (hostile[1] === 'passes') expect(fate).toBe('passed')
  if (hostile[1] === 'never ends') expect(fate).toBe('TASK_CANCELLED')
  expect(await both(() => backtest(honest, 'honest'))).toEqual([single, single])
  expect(await both(builtIn)).toEqual([whole, whole])
  expect(pool.stats()).toMatchObject({ busy: 0 })
})

test('the whole honest sweep is what it was', async () => {
  expect(await rows()).toEqual(rowsBefore)
})
