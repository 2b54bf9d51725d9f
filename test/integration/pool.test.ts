/** The compute pool with real threads: order, cancelling, errors as data, shared memory. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { packageRoot } from '../../src/base/package-root.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import { prepare } from '../../src/runtime/submission.js'
import { TaskType } from '../../src/tasks/task.js'
import type { ComputePool, ComputePriority, ComputeReply, ComputeRequest } from '../../src/tasks/compute-pool.js'
import { eventually } from '../eventually.js'

const pools: ComputePool[] = []
function open(threads: number, heapMb?: number): ComputePool {
  const pool = createComputePool({ threads, clock: systemClock, ...(heapMb === undefined ? {} : { heapMb }) })
  pools.push(pool)
  return pool
}
const scratch = mkdtempSync(join(tmpdir(), 'sweepmill-test-'))
afterAll(() => { rmSync(scratch, { recursive: true, force: true }) })
afterEach(async () => { await Promise.all(pools.splice(0).map((pool) => pool.close())) })

const request = (step: string, input: unknown, rest: Partial<ComputeRequest> = {}): ComputeRequest =>
  ({ step, input, priority: 'low', divisible: true, userCode: false, ...rest })
const spin = (pool: ComputePool, ms: number, rest: Partial<ComputeRequest> = {}): Promise<ComputeReply> => pool.run(request('probe', { spin_ms: ms }, rest))

function strategyFile(body: string): string {
  const file = join(scratch, 'mine.ts')
  writeFileSync(file, body)
  return file
}

const SPEC = { file: join(packageRoot, 'samples', 'sp500-daily.csv'), strategy: { name: 'sma-cross' }, space: { fast: { min: 5, max: 30, step: 1 }, slow: { min: 40, max: 60, step: 2 } } }

async function sampleBars(pool: ComputePool): Promise<SharedArrayBuffer> {
  const reply = await pool.run(request('parse_bars', { file: SPEC.file, source: 'sp500-daily.csv' }))
  const { bars } = reply.shared
  if (bars === undefined) throw new Error('no bars')
  return bars
}

describe('compute pool', () => {
  test('a freed thread goes to the highest priority, and users take turns', async () => {
    const pool = open(1)
    const order: string[] = []
    const blocker = spin(pool, 100)
    const add = (name: string, priority: ComputePriority, user: string): Promise<void> => spin(pool, 1, { priority, user }).then(() => { order.push(name) })
    await Promise.all([
      blocker, add('low a1', 'low', 'a'), add('low a2', 'low', 'a'), add('low b1', 'low', 'b'), add('medium', 'medium', 'a'), add('high', 'high', 'a'),
    ])
    expect(order).toEqual(['high', 'medium', 'low a1', 'low b1', 'low a2'])
  })

  test('an indivisible step below HIGH never holds the last thread', async () => {
    const pool = open(2)
    const [one, two] = [new AbortController(), new AbortController()]
    // Both run until they are told to stop.
    const first = spin(pool, 600_000, { divisible: false, signal: one.signal })
    const second = spin(pool, 600_000, { divisible: false, signal: two.signal })
    const stopped = Promise.allSettled([first, second])
    await eventually('the first to run', () => Promise.resolve(pool.stats().busy === 1))
    await spin(pool, 1, { priority: 'high', divisible: false })
    expect(pool.stats()).toMatchObject({ busy: 1, waiting: { low: 1 } })
    one.abort()
    await eventually('the second to run', () => Promise.resolve(pool.stats().busy === 1 && pool.stats().waiting.low === 0))
    two.abort()
    for (const result of await stopped) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'TASK_CANCELLED' } })
  })

  test('chunks without end do not keep an indivisible step of a higher priority waiting', async () => {
    const pool = open(2)
    const over = new AbortController()
    const lane = async (): Promise<void> => { while (!over.signal.aborted) await spin(pool, 5) }
    const lanes = [lane(), lane(), lane()]
    await eventually('both threads to be busy', () => Promise.resolve(pool.stats().busy === 2))
    await spin(pool, 1, { priority: 'medium', divisible: false })
    over.abort()
    await Promise.all(lanes)
  })

  test('a step whose time is over leaves its ranges where it is, after some work', async () => {
    const pool = open(1)
    const shared = { bars: await sampleBars(pool) }
    const wide = { ...SPEC, space: { fast: { min: 5, max: 200, step: 1 }, slow: { min: 300, max: 310, step: 1 } } }
    const part = async (spec: object, ranges: readonly (readonly [number, number])[]): Promise<{ trials: number[]; reached: number }> =>
      JSON.parse((await pool.run(request('run_trials', { spec, ranges, most_ms: 0 }, { shared }))).json) as { trials: number[]; reached: number }
    expect(await part(wide, [[0, 1000], [1000, 2000]])).toMatchObject({ trials: [1], reached: 1 })
    expect(await part({ ...wide, constraint: 'fast > 150' }, [[0, 1000], [1000, 2000]])).toMatchObject({ trials: [0], reached: 64 })
    expect(await part(wide, [[999, 1000], [1000, 2000]])).toMatchObject({ trials: [1], reached: 1000 })
    const hidden = { ...wide, constraint: 'fast > 150' }
    for (const step of ['check_sweep', 'plan_sweep']) {
      expect(JSON.parse((await pool.run(request(step, { spec: hidden, from: 128, most_ms: 0 }, { shared }))).json)).toMatchObject({ next: 192 })
      expect(JSON.parse((await pool.run(request(step, { spec: hidden }, { shared }))).json)).not.toHaveProperty('next', expect.any(Number))
    }
  })

  test('a sweep without one trial fails at its end', async () => {
    const pool = open(1)
    const { port1, port2 } = new MessageChannel()
    port1.on('message', ({ type }: { type: string }) => { if (type === 'next') port1.postMessage({ type: 'end' }) })
    const ranked = pool.run(request('rank_sweep', { spec: { ...SPEC, constraint: 'fast > 100' } }, { shared: { bars: await sampleBars(pool) }, divisible: false, port: port2 }))
    await expect(ranked).rejects.toMatchObject({ code: 'SPACE_EMPTY', message: expect.stringContaining('"fast > 100" and the constraint of sma-cross') as unknown })
    port1.close()
  })

  test('cancelling reaches running code and waiting code, and costs no thread', async () => {
    const pool = open(1)
    const abort = new AbortController()
    let progressed = false
    const running = spin(pool, 600_000, { signal: abort.signal, onProgress: () => { progressed = true } })
    const waiting = spin(pool, 600_000, { signal: abort.signal })
    const both = Promise.allSettled([running, waiting])
    await eventually('its first progress', () => Promise.resolve(progressed))
    abort.abort()
    for (const result of await both) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'TASK_CANCELLED' } })
    expect(pool.stats().replacedThreads).toBe(0)
  })

  test('an endless loop in user code costs its thread, not the pool', async () => {
    const pool = open(2)
    const file = strategyFile(`import { defineStrategy } from 'sweepmill'
export default defineStrategy({ name: 'endless', params: {}, signals({ close }) { for (;;) if (close.length < 0) break; return { longEntry: close } } })`)
    const described = await pool.run(request('describe_strategy', { file }))
    const { source_hash: hash } = JSON.parse(described.json) as { source_hash: string }
    const abort = new AbortController()
    const endless = pool.run(request('backtest', { spec: { file: SPEC.file, strategy: { name: 'endless' }, strategy_hash: hash } }, {
      shared: { bars: await sampleBars(pool) }, bytes: { code: described.bytes['code'] ?? new Uint8Array() }, userCode: true, signal: abort.signal,
    }))
    const rejected = expect(endless).rejects.toMatchObject({ code: 'TASK_CANCELLED' })
    await eventually('it to run', () => Promise.resolve(pool.stats().busy === 1))
    const other = spin(pool, 300)
    abort.abort()
    await rejected
    await other
    expect(pool.stats().replacedThreads).toBe(1)
    await Promise.all([spin(pool, 1), spin(pool, 1)])
  })

  test('errors keep code, sentence and details', async () => {
    const pool = open(1)
    await expect(pool.run(request('describe_strategy', { name: 'sma-cros' }))).rejects.toMatchObject({ code: 'STRATEGY_UNKNOWN', message: expect.stringContaining('sma-cross') as unknown })
    await expect(pool.run(request('parse_bars', { file: '/nowhere', source: 'x' }))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND', details: { file: '/nowhere' } })
    await expect(pool.run(request('describe_strategy', { file: strategyFile('export default {\n  name: 1 +\n}') }))).rejects.toMatchObject({ code: 'STRATEGY_INVALID', message: expect.stringMatching(/mine\.ts:3/) as unknown })
    const throwing = await pool.run(request('describe_strategy', { file: strategyFile(`import { defineStrategy } from 'sweepmill'
export default defineStrategy({ name: 'throws', params: {}, signals() {
  throw new Error('boom')
} })`) }))
    await expect(pool.run(request('backtest', { spec: { file: SPEC.file, strategy: { name: 'throws' }, strategy_hash: (JSON.parse(throwing.json) as { source_hash: string }).source_hash } }, {
      shared: { bars: await sampleBars(pool) }, bytes: { code: throwing.bytes['code'] ?? new Uint8Array() }, userCode: true,
    }))).rejects.toMatchObject({ code: 'STRATEGY_FAILED', message: expect.stringMatching(/"throws" threw an error for \{\}: boom \(at mine\.ts:3:\d+\)$/) as unknown })
    await expect(pool.run(request('no_such_step', {}))).rejects.toMatchObject({ code: 'INVARIANT' })
  })

  test('a strategy that throws, ends its process or writes into the bars is refused before there is a task', async () => {
    const pool = open(1)
    const mine = (signals: string): Promise<unknown> => {
      const strategy = strategyFile(`import { defineStrategy } from 'sweepmill'\nexport default defineStrategy({ name: 'x', params: {}, signals({ close }) {\n  ${signals}\n} })`)
      return prepare({ taskType: TaskType.BACKTEST, data: { file: SPEC.file, strategy: { name: strategy } }, roots: null }, { pool, clock: systemClock, strategyDir: null })
    }
    const refused = (part: string): unknown => expect.objectContaining({ code: 'STRATEGY_FAILED', message: expect.stringContaining(part) as unknown })
    await expect(mine('throw new Error("boom")')).rejects.toEqual(refused('boom (at mine.ts:3:'))
    await expect(mine('process.exit(0)')).rejects.toEqual(refused('process.exit()'))
    await expect(mine('return { longEntry: new Uint8Array(3) }')).rejects.toEqual(refused('longEntry has 3 values for 5105 bars'))
    await expect(mine('close[7] = 99; return { longEntry: new Uint8Array(close.length) }')).rejects.toEqual(refused('wrote into the columns'))
    await expect(mine('return { longEntry: new Uint8Array(close.length) }')).resolves.toMatchObject({ source: { name: 'x' } })
    expect(pool.stats().replacedThreads).toBe(0)
  })

  test('an endless loop is refused at a timeout shorter than the check, and left to a longer one', async () => {
    const pool = open(1)
    const strategy = strategyFile(`import { defineStrategy } from 'sweepmill'\nexport default defineStrategy({ name: 'x', params: {}, signals() { for (;;); } })`)
    const spec = { taskType: TaskType.BACKTEST, data: { file: SPEC.file, strategy: { name: strategy } }, roots: null }
    await expect(prepare({ ...spec, timeoutSeconds: 1 }, { pool, clock: systemClock, strategyDir: null })).rejects.toMatchObject({ code: 'STRATEGY_TIMEOUT' })
    // Compiling and checking have their time; the run that never ends is the third that may take ten seconds.
    let checks = 0
    const hasty = { ...systemClock, after: (ms: number, run: () => void) => systemClock.after(ms === 10_000 && ++checks === 3 ? 500 : ms, run) }
    await expect(prepare({ ...spec, timeoutSeconds: 60 }, { pool, clock: hasty, strategyDir: null })).resolves.toMatchObject({ source: { name: 'x' } })
  })

  test('the code of a strategy does not depend on where the command was called', async () => {
    const pool = open(1)
    const file = strategyFile('import { defineStrategy } from \'sweepmill\'\nexport default defineStrategy({ name: \'x\', params: {}, signals: () => ({}) })')
    const described = await pool.run(request('describe_strategy', { file }))
    const text = Buffer.from(described.bytes['code'] ?? []).toString()
    const map = JSON.parse(Buffer.from(/base64,(\S+)/.exec(text)?.[1] ?? '', 'base64').toString()) as { sources: string[] }
    expect(map.sources).toEqual(['mine.ts'])
  })

  test('what a strategy prints goes to standard error', async () => {
    const file = strategyFile('import { defineStrategy } from \'sweepmill\'\nconsole.log(\'hello\')\nprocess.stdout.write(\'world\')\nfor (let i = 0; i < 3000; i += 1) console.error(\'z\'.repeat(1000))\nexport default defineStrategy({ name: \'x\', params: {}, signals: () => ({}) })')
    const script = `const { createComputePool } = await import('./dist/src/pool/compute-pool.js'), { systemClock } = await import('./dist/src/base/clock.js')
      const pool = createComputePool({ threads: 1, clock: systemClock })
      await pool.run({ step: 'describe_strategy', input: { file: ${JSON.stringify(file)} }, priority: 'low', divisible: true, userCode: true })
      await pool.run({ step: 'echo', input: {}, priority: 'low', divisible: true, userCode: false })
      await pool.close()`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: packageRoot })
    const printed = { stdout: '', stderr: '' }
    child.stdout.on('data', (bytes: Buffer) => { printed.stdout += bytes.toString() })
    child.stderr.on('data', (bytes: Buffer) => { printed.stderr += bytes.toString() })
    expect(await new Promise((resolve) => { child.once('close', resolve) })).toBe(0)
    expect(printed).toEqual({ stdout: '', stderr: expect.stringMatching(/^hello\nworld[^]*more, which is left out/) as unknown })
    expect(printed.stderr.length).toBeLessThan(1_100_000)
  })

  test('a thread out of heap fails its step alone', async () => {
    const pool = open(1, 48)
    const file = strategyFile('const all: unknown[] = []\nfor (;;) all.push(new Array(10000).fill(all.length))\nexport default {}')
    await expect(pool.run(request('describe_strategy', { file }, { userCode: true }))).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' })
    expect(JSON.parse((await pool.run(request('echo', { still: 'here' }))).json)).toEqual({ still: 'here' })
  })

  test('bars are shared, never copied, and progress only grows', async () => {
    const pool = open(2)
    const buffer = await sampleBars(pool)
    const bytes = new Uint8Array(buffer)
    const seen: number[] = []
    const reply = await pool.run(request('run_trials', { spec: SPEC, ranges: [[0, 286]] }, { shared: { bars: buffer }, onProgress: (done) => seen.push(done) }))
    expect(JSON.parse(reply.json)).toMatchObject({ trials: [286] })
    expect(seen.every((done, i) => i === 0 || done > (seen[i - 1] ?? 0))).toBe(true)
    // What this thread writes, the other one reads: breaking the magic makes a new view fail there.
    bytes[0] = 0
    const fresh = open(1)
    await expect(fresh.run(request('check_backtest', { spec: { file: 'x', strategy: { name: 'sma-cross' } } }, { shared: { bars: buffer } }))).rejects.toMatchObject({ code: 'DATA_FORMAT' })
  })

  test('the same trials give the same bytes however they are cut', async () => {
    const pool = open(2)
    const shared = { bars: await sampleBars(pool) }
    const whole = await pool.run(request('run_trials', { spec: SPEC, ranges: [[0, 200]] }, { shared }))
    const [left, right] = await Promise.all([[0, 77], [77, 200]].map((range) => pool.run(request('run_trials', { spec: SPEC, ranges: [range] }, { shared }))))
    const body = (reply: ComputeReply | undefined): Buffer => Buffer.from(reply?.bytes['q:0']?.subarray(8) ?? [])
    expect(Buffer.concat([body(left), body(right)]).equals(body(whole))).toBe(true)
  })

  test('an open pool does not keep a process alive, a closed one refuses', async () => {
    const pool = open(1)
    await pool.close()
    await expect(spin(pool, 1)).rejects.toMatchObject({ code: 'WORKER_STOPPING' })
    const root = packageRoot
    const child = spawn(process.execPath, ['--input-type=module', '-e', `
      const { createComputePool } = await import('${root}/dist/src/pool/compute-pool.js')
      const { systemClock } = await import('${root}/dist/src/base/clock.js')
      const pool = createComputePool({ threads: 2, clock: systemClock })
      await pool.run({ step: 'echo', input: {}, priority: 'high', divisible: true, userCode: false })
      await pool.close()`], { stdio: 'inherit' })
    const code = await new Promise((resolve) => { child.once('exit', resolve) })
    expect(code).toBe(0)
  })
})
