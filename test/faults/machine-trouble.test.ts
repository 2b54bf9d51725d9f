/** A machine without room, files or a temporary folder fails no task: the work is given back, and goes well once there is room. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ERRORS } from '../../src/base/errors.js'
import type { ErrorCode } from '../../src/base/errors.js'
import { packageRoot } from '../../src/base/package-root.js'
import { defineSaga } from '../../src/saga/saga-step.js'
import { register } from '../../src/workflows/workflow.js'
import type { Workflow } from '../../src/workflows/workflow.js'
import { eventually } from '../eventually.js'
import { openTestBed } from '../harness.js'
import type { TestBed } from '../harness.js'
import { zipped } from '../zipped.js'

const folder = mkdtempSync(join(tmpdir(), 'sweepmill-trouble-'))
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })

describe('a process that has no file descriptor left', () => {
  const csv = readFileSync(join(packageRoot, 'samples', 'sp500-daily.csv'), 'utf8')
  const times = [0, 1, 2].map((day) => BigInt(Date.UTC(2024, 0, 2 + day)))
  const prices = [10, 11, 12]
  writeFileSync(join(folder, 'a.csv'), csv)
  writeFileSync(join(folder, 'a.csv.gz'), gzipSync(csv))
  writeFileSync(join(folder, 'a.zip'), zipped({ 'a.csv': csv }))
  writeFileSync(join(folder, 'mine.ts'), "import { defineStrategy } from 'sweepmill'\nexport default defineStrategy({ name: 'x', params: {}, signals: () => ({}) })")
  writeFileSync(join(folder, 'funding.csv'), 'time,rate\n2024-01-01,0.1\n')
  writeFileSync(join(folder, 'a.parquet'), new Uint8Array(parquetWriteBuffer({
    columnData: [{ name: 'time', data: times, type: 'INT64' }, ...['open', 'high', 'low', 'close', 'volume'].map((name) => ({ name, data: prices, type: 'DOUBLE' as const }))],
  })))

  // With one left a file can be opened, and not the package that reads it: Node.js would keep that failure.
  test.each([0, 1])('blames no file (%i left), and keeps no failure', (free) => {
    const script = join(packageRoot, 'dist', 'test', 'faults', 'short-of-files.js')
    const own = mkdtempSync(join(folder, 'run-'))
    for (const name of ['a.csv', 'a.csv.gz', 'a.zip', 'a.parquet', 'funding.csv', 'mine.ts']) symlinkSync(join(folder, name), join(own, name))
    const { stdout, stderr } = spawnSync('bash', ['-c', `ulimit -n 400 && exec ${process.execPath} ${script} ${own} ${free}`], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const { homeless, short, roomy } = JSON.parse(stdout) as { homeless: string; short: ErrorCode[]; roomy: string[] }
    expect(homeless).toBe('ok')
    expect(short.filter((code) => (code as string) !== 'ok' && !ERRORS[code].retryable)).toEqual([])
    expect(short).toContain('MACHINE_TROUBLE')
    expect(roomy).toEqual(roomy.map(() => 'ok'))
  })
})

describe('a task on a full disk', () => {
  let bed: TestBed
  beforeEach(async () => { bed = await openTestBed() })
  afterEach(async () => { await bed.close() })

  const undone: string[] = []
  const writer = (target: string): Workflow<null> => ({
    taskType: 'writer', begin: () => null, end: () => undefined,
    definition: defineSaga<null>({ type: 'writer', version: 1, steps: [{
      name: 'write', kind: 'compensatable', compensation: { name: 'unwrite', undo: () => { undone.push('undo'); return Promise.resolve() } },
      run: () => {
        appendFileSync(target, 'a row')
        return Promise.resolve('null')
      },
    }] }),
  })

  test('waits for room without using up its retries or undoing anything, however often it is tried', async () => {
    const target = join(folder, 'target')
    // Every write to it says ENOSPC, as a full disk does.
    symlinkSync('/dev/full', target)
    const runtime = await bed.open({ workflows: [register(writer(target))], retry: { baseMs: 20, capMs: 100 } })
    await runtime.start()
    const taskId = await runtime.queue.enqueueTask({ taskType: 'writer', data: {}, maxRetries: 0 })
    await eventually('a third attempt', async () => (await runtime.backend.task(taskId)).attempt >= 3)
    rmSync(target)
    expect(await runtime.backend.wait(taskId)).toMatchObject({ status: 'completed', retry_count: 0 })
    expect(readFileSync(target, 'utf8')).toBe('a row')
    expect(undone).toEqual([])
    const [released] = await bed.sql<{ why: string }>("select detail->>'why' as why from task_events where event = 'released' limit 1")
    expect(released?.why).toMatch(/the disk is full: ENOSPC/)
  })
})
