/** What a strategy leaves behind fails its own step and nothing else, and its thread may be ended at any moment. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { packageRoot } from '../../src/base/package-root.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import type { ComputePool, ComputeReply, ComputeRequest } from '../../src/tasks/compute-pool.js'
import { eventually } from '../eventually.js'

const FILE = join(packageRoot, 'samples', 'sp500-daily.csv')
const scratch = mkdtempSync(join(tmpdir(), 'sweepmill-guest-'))
const pool = createComputePool({ threads: 1, clock: systemClock })
afterAll(async () => {
  await pool.close()
  rmSync(scratch, { recursive: true, force: true })
})

function run(threads: ComputePool, step: string, input: unknown, rest: Partial<ComputeRequest> = {}): Promise<ComputeReply> {
  return threads.run({ step, input, priority: 'low', divisible: true, userCode: true, ...rest })
}

/** Parsed once; the threads share them. */
const bars = run(pool, 'parse_bars', { file: FILE, source: 'sp500-daily.csv' }, { userCode: false }).then(({ shared }) => shared['bars'] ?? new SharedArrayBuffer(0))

let files = 0
function strategyFile(inCall: string, atLoad = ''): string {
  files += 1
  const file = join(scratch, `mine${files}.ts`)
  writeFileSync(file, `import { defineStrategy } from 'sweepmill'
${atLoad}
export default defineStrategy({ name: 'x', params: {}, signals({ close }): any {
  ${inCall}
  return { longEntry: new Uint8Array(close.length) }
} })`)
  return file
}

interface Compiled { readonly code: Uint8Array; readonly hash: string }

async function compiled(inCall: string, atLoad = ''): Promise<Compiled> {
  const { json, bytes } = await run(pool, 'describe_strategy', { file: strategyFile(inCall, atLoad) })
  return { code: bytes['code'] ?? new Uint8Array(), hash: (JSON.parse(json) as { source_hash: string }).source_hash }
}

async function backtest({ code, hash }: Compiled, signal?: AbortSignal): Promise<ComputeReply> {
  const spec = { file: FILE, strategy: { name: 'x' }, strategy_hash: hash }
  return run(pool, 'backtest', { spec }, { shared: { bars: await bars }, bytes: { code }, ...(signal === undefined ? {} : { signal }) })
}

/** What is left behind, and the sentence for it. */
const LEFT_BEHIND: readonly (readonly [inCall: string, sentence: RegExp])[] = [
  ['Promise.reject(new Error("late"))', /left a promise or a callback behind .*: late \(at mine\d+\.ts:4:\d+\)$/],
  ['for (let i = 0; i < 1000; i += 1) Promise.reject(new Error(`late ${i}`))', /: late 0 \(at/],
  ['void (async () => { for (let i = 0; i < 50; i += 1) await null; throw new Error("much later") })()', /: much later \(at/],
  ['queueMicrotask(() => { throw new Error("in a microtask") })', /: in a microtask \(at/],
  ['(globalThis as any).process.nextTick(() => { throw new Error("in a tick") })', /called process\.nextTick/],
  ['Promise.reject(null)', /: null$/],
  ['Promise.reject({ toString() { throw 1 } })', /: a value that cannot be shown$/],
  ['Promise.reject(Object.defineProperty(new Error("x"), "stack", { get() { throw 1 } }))', /: x$/],
  ['Promise.resolve().then(() => (globalThis as any).process.exit(0))', /: The strategy called process\.exit\(\)/],
  ['const e = new EventTarget(); e.addEventListener("x", () => { throw new Error("heard") }); e.dispatchEvent(new Event("x"))', /EventTarget is not defined: a strategy runs by itself.* \(at mine/],
  ['(globalThis as any).process.removeAllListeners(); Promise.reject(new Error("alone"))', /called process\.removeAllListeners/],
  ['Error.prepareStackTrace = () => { throw 1 }; Promise.reject(new Error("no stack"))', /: no stack/],
  ['setTimeout(() => { throw new Error("timer") }, 1)', /called setTimeout\. It must decide within its call/],
  ['setInterval(() => undefined, 1)', /called setInterval/],
  ['setImmediate(() => undefined)', /called setImmediate/],
  ['new MessageChannel()', /called MessageChannel/],
  ['void fetch("http://127.0.0.1:9")', /called fetch/],
  ['(globalThis as any).process.kill((globalThis as any).process.pid, 9)', /called process\.kill/],
  ['throw Object.create(null)', /^The strategy/],
  ['throw Object.defineProperty(new Error("x"), "message", { get() { throw 1 } })', /^The strategy/],
]

test.each(LEFT_BEHIND)('%s fails its step', async (inCall, sentence) => {
  const strategy = await compiled(inCall)
  await expect(backtest(strategy)).rejects.toMatchObject({ code: 'STRATEGY_FAILED', message: expect.stringMatching(sentence) as unknown })
  expect(pool.stats().replacedThreads).toBe(0)
})

test.each([
  ['Promise.reject(new Error("late"))', /fails while it loads: .*late \(at mine\d+\.ts:2:\d+\)$/],
  ['queueMicrotask(() => { throw new Error("late") })', /fails while it loads: .*late \(at/],
  ['setTimeout(() => undefined, 1)', /fails while it loads: The strategy called setTimeout/],
])('%s at its loading refuses the strategy, each time', async (atLoad, sentence) => {
  const refused = expect.objectContaining({ code: 'STRATEGY_INVALID', message: expect.stringMatching(sentence) as unknown }) as unknown
  const file = strategyFile('', atLoad)
  await expect(run(pool, 'describe_strategy', { file })).rejects.toEqual(refused)
  await expect(run(pool, 'describe_strategy', { file })).rejects.toEqual(refused)
})

test('what is handled within the call is no fault, and another strategy in the thread of a failed one runs on', async () => {
  const bad = await compiled('Promise.reject(new Error("late"))')
  const good = await compiled('Promise.reject(new Error("handled")).catch(() => undefined)')
  for (let i = 0; i < 5; i += 1) {
    await expect(backtest(bad)).rejects.toMatchObject({ code: 'STRATEGY_FAILED' })
    await expect(backtest(good)).resolves.toMatchObject({ kind: 'done' })
  }
})

test.each([
  'const again = (): Promise<void> => Promise.resolve().then(again); void again()',
  'const again = (): void => { queueMicrotask(again) }; again()',
  'const again = (): Promise<void> => { void Promise.reject(new Error("x")).catch(() => undefined); return Promise.resolve().then(again) }; void again()',
])('%s ends with its step', async (inCall) => {
  const { replacedThreads } = pool.stats()
  const strategy = await compiled(inCall)
  const stop = new AbortController()
  const endless = backtest(strategy, stop.signal)
  const ended = expect(endless).rejects.toMatchObject({ code: 'TASK_CANCELLED' })
  await eventually('it to run', () => Promise.resolve(pool.stats().busy === 1))
  stop.abort()
  await ended
  expect(pool.stats().replacedThreads).toBe(replacedThreads + 1)
  await run(pool, 'echo', {}, { userCode: false })
})

/** Of a few hundred such ends, without what is tested here, nearly every one ended the process. GUEST_ROUNDS asks for more of them. */
test('threads that are ended with work of a strategy left behind never end the process', async () => {
  const rounds = Number(process.env['GUEST_ROUNDS'] ?? 8)
  const kinds = [
    'Promise.reject(new Error("late"))', 'for (;;) Promise.reject(new Error("late"))', 'queueMicrotask(() => { throw new Error("late") })',
    'const again = () => { Promise.reject(new Error("late")); return Promise.resolve().then(again) }; again()',
    '(async () => { for (;;) await null })(); Promise.reject(new Error("late"))', 'setInterval(() => { throw new Error("late") }, 1)', 'process.exit(1)',
  ]
  const script = `const { createComputePool } = await import('./dist/src/pool/compute-pool.js'), { systemClock } = await import('./dist/src/base/clock.js')
    const files = ${JSON.stringify(kinds.map((kind) => strategyFile(kind.replaceAll('process.', '(globalThis as any).process.'))))}
    let seed = 1
    const next = (below) => { seed = Math.imul(seed, 48271) & 0x7fffffff; return seed % below }
    const at = (ms) => new Promise((resolve) => { setTimeout(resolve, ms) })
    const open = () => {
      const pool = createComputePool({ threads: 2, clock: systemClock })
      return { pool, run: (step, input, rest) => pool.run({ step, input, priority: 'low', divisible: true, userCode: true, ...rest }) }
    }
    const first = open()
    const { shared: { bars } } = await first.run('parse_bars', { file: ${JSON.stringify(FILE)}, source: 'x' }, { userCode: false })
    const strategies = []
    for (const file of files) {
      const { json, bytes: { code } } = await first.run('describe_strategy', { file }, {})
      strategies.push({ code, spec: { file: 'x', strategy: { name: 'x' }, strategy_hash: JSON.parse(json).source_hash } })
    }
    await first.pool.close()
    const ends = ${JSON.stringify(kinds.map((kind) => !/for \(;;\)|again/.test(kind)))}
    let failed = 0
    let { pool, run } = open()
    for (let i = 0; i < ${rounds}; i += 1) {
      const { code, spec } = strategies[i % strategies.length]
      // Both threads are there.
      await Promise.all([run('echo', {}, {}), run('echo', {}, {})])
      const stop = new AbortController()
      const tasks = [0, 1, 2].map(() => run('backtest', { spec }, { shared: { bars }, bytes: { code }, signal: stop.signal }).then(() => 'it passed', (error) => error.code))
      // Every other time one that ends by itself is waited for, and else what runs is ended wherever it is.
      if (i % 2 === 1 && ends[i % ends.length]) failed += (await tasks[0]) === 'STRATEGY_FAILED' ? 1 : 0
      else await at(next(60))
      stop.abort()
      // Now and then all threads are ended, and those of the next pool while they start.
      if (i % 4 === 3) {
        await at(next(130))
        await pool.close()
        const starting = open()
        const echo = starting.run('echo', {}, {}).catch(() => undefined)
        await at(next(250))
        await starting.pool.close()
        await echo
        ;({ pool, run } = open())
      }
      const codes = await Promise.all(tasks)
      if (codes.some((code) => !['STRATEGY_FAILED', 'TASK_CANCELLED', 'WORKER_STOPPING', 'OUT_OF_MEMORY'].includes(code))) throw new Error('ended as ' + codes)
    }
    await pool.close()
    if (failed === 0) throw new Error('none failed by itself')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: packageRoot })
  let printed = ''
  child.stderr.on('data', (bytes: Buffer) => { printed += bytes.toString() })
  const code = await new Promise((resolve) => { child.once('close', resolve) })
  expect({ code, printed }).toEqual({ code: 0, printed: '' })
}, 240_000)
