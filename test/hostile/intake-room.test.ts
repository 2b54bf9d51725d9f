/** What submissions take while they are read: room comes before reading, and what has no room is refused or waits. */
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import { IntakeRoom } from '../../src/runtime/intake-room.js'
import { prepare } from '../../src/runtime/submission.js'
import type { Prepared } from '../../src/runtime/submission.js'
import { TaskType } from '../../src/tasks/task.js'
import type { ComputePool, ComputeReply, ComputeRequest } from '../../src/tasks/compute-pool.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'

const MIB = 2 ** 20
const folder = mkdtempSync(join(tmpdir(), 'sweepmill-intake-'))
const at = (name: string): string => join(folder, name)
let pool: ComputePool
const prepared: Prepared[] = []

/** Rows of a minute each, as short as they can be or with so many digits. */
function csv(rows: number, digits: number): string {
  const price = digits === 0 ? '1' : (1.2345678901234).toFixed(digits)
  const row = `${price},${price},${price},${price}`
  return `time,open,high,low,close\n${Array.from({ length: rows }, (_, i) => `${1_600_000_000 + 60 * i},${row}`).join('\n')}\n`
}

beforeAll(() => {
  pool = createComputePool({ threads: 2, clock: systemClock })
  writeFileSync(at('good.csv'), csv(1000, 5))
  writeFileSync(at('much.csv'), csv(400_000, 0))
  writeFileSync(at('much.csv.gz'), gzipSync(csv(400_000, 0)))
  // 14 MiB of columns, told to be less by its first rows.
  writeFileSync(at('long-first.csv'), csv(2000, 13) + csv(250_000, 0).replace(/^.*\n/, '').replaceAll(/^16/gm, '17'))
})
afterEach(() => { for (const one of prepared.splice(0)) one.place?.leave() })
afterAll(async () => {
  await pool.close()
  rmSync(folder, { recursive: true, force: true })
})

async function read(file: string, intake: IntakeRoom, rest: { readonly gone?: AbortSignal; readonly pool?: ComputePool } = {}): Promise<Prepared> {
  const one = await prepare({ taskType: TaskType.BACKTEST, data: { file: at(file), strategy: { name: 'buy-and-hold' } }, roots: null }, { pool, clock: systemClock, strategyDir: null, intake, ...rest })
  prepared.push(one)
  return one
}

describe('room for submissions', () => {
  test.each(['much.csv', 'much.csv.gz'])('%s, which is more than all of it, is refused with what it needs', async (file) => {
    const intake = new IntakeRoom(16 * MIB, systemClock)
    await expect(read(file, intake)).rejects.toMatchObject({ code: 'DATA_TOO_LARGE', httpStatus: 413, message: expect.stringMatching(/at most 16 MiB.*Raise DATA_MEMORY_MB to \d+/) as string })
    expect(intake.usedBytes).toBe(0)
  })

  test('a file that takes more than its first rows say gets it, and what takes all of the room is read alone', async () => {
    const intake = new IntakeRoom(16 * MIB, systemClock)
    expect((await read('long-first.csv', intake)).bars?.dataset.bars).toBe(252_000)
    expect(intake.usedBytes).toBe(16 * MIB)
    let next: Prepared | null = null
    const waiting = read('good.csv', intake).then((one) => { next = one })
    await eventually('the next to stand in line', () => Promise.resolve(intake.waiting === 1))
    expect(next).toBeNull()
    prepared[0]?.place?.leave()
    await waiting
    expect(next).not.toBeNull()
  })

  test('at most 32 are read or stored at once, the others wait without a thread, and one that goes away leaves the line', async () => {
    const steps: string[] = []
    class Watched implements ComputePool {
      readonly threads = pool.threads
      run(request: ComputeRequest): Promise<ComputeReply> {
        steps.push(request.step)
        return pool.run(request)
      }
      stats = (): ReturnType<ComputePool['stats']> => pool.stats()
      recall = (hash: string): Promise<void> => pool.recall(hash)
      close = (): Promise<void> => Promise.resolve()
    }
    const intake = new IntakeRoom(256 * MIB, systemClock)
    const watched = new Watched()
    const first = await Promise.all(Array.from({ length: 32 }, () => read('good.csv', intake, { pool: watched })))
    const gone = new AbortController()
    const leaving = read('good.csv', intake, { pool: watched, gone: gone.signal })
    const staying = read('good.csv', intake, { pool: watched })
    const left = expect(leaving).rejects.toThrow('nobody waits')
    await eventually('both to stand in line', () => Promise.resolve(intake.waiting === 2))
    expect(steps.filter((step) => step === 'parse_bars')).toHaveLength(32)
    gone.abort(new Error('nobody waits'))
    await left
    first[0]?.place?.leave()
    await staying
    expect(steps.filter((step) => step === 'parse_bars')).toHaveLength(33)
    expect(intake.usedBytes).toBeLessThanOrEqual(256 * MIB)
  })

  test('sixty at once over a runtime with little of it all complete, and all of the room is given back', async () => {
    const bed = await openTestBed()
    try {
      const { backend } = await bed.open({ env: { DATA_MEMORY_MB: '16', WORKER_THREADS: '2' } })
      const ids = await Promise.all(Array.from({ length: 60 }, () => backend.submit({ taskType: TaskType.BACKTEST, data: { file: at('good.csv'), strategy: { name: 'buy-and-hold' } }, roots: null })))
      expect(new Set(ids.map(({ taskId }) => taskId)).size).toBe(60)
      // What is refused behind the door has left as well.
      for (let i = 0; i < 40; i += 1) await expect(backend.submit({ taskType: TaskType.BACKTEST, data: { file: at('good.csv'), strategy: { name: 'sma-cross', params: { fast: -1 } } }, roots: null })).rejects.toMatchObject({ code: 'PARAM_INVALID' })
      await backend.submit({ taskType: TaskType.BACKTEST, data: { file: at('good.csv'), strategy: { name: 'buy-and-hold' } }, roots: null })
    } finally {
      await bed.close()
    }
  })
})

describe('a file with holes', () => {
  test.each([['a terabyte behind good rows', 2 ** 40, 0], ['some megabytes', 8 * MIB, 0], ['with rows behind the hole', 64 * MIB, 1]])('%s is a fault of the data', async (_name, sizeBytes, behind) => {
    writeFileSync(at('holes.csv'), csv(3000, 5))
    truncateSync(at('holes.csv'), sizeBytes)
    if (behind === 1) {
      const fd = openSync(at('holes.csv'), 'r+')
      writeSync(fd, csv(10, 5), sizeBytes)
      closeSync(fd)
    }
    await expect(read('holes.csv', new IntakeRoom(64 * MIB, systemClock))).rejects.toMatchObject({ code: 'DATA_FORMAT', httpStatus: 400, message: expect.stringContaining('file with holes') as string })
    // A reader that was not told before says so too.
    await expect(pool.run({ step: 'parse_bars', input: { file: at('holes.csv'), source: 'holes.csv' }, priority: 'high', divisible: false, userCode: false })).rejects.toMatchObject({ httpStatus: 400 })
  })

  test.each(['', 'PAR1', 'PK\u0003\u0004', '\u001f\u008b'])('that is nothing else (%j)', async (magic) => {
    writeFileSync(at('all.csv'), Buffer.from(magic, 'latin1'))
    truncateSync(at('all.csv'), 2 ** 40)
    await expect(read('all.csv', new IntakeRoom(64 * MIB, systemClock))).rejects.toMatchObject({ httpStatus: magic === '' ? 400 : 413 })
    await expect(pool.run({ step: 'parse_bars', input: { file: at('all.csv'), source: 'all.csv' }, priority: 'high', divisible: false, userCode: false })).rejects.toMatchObject({ code: 'DATA_FORMAT' })
  })
})
