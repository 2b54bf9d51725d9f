/** Whatever stands where a file should: a pipe, a device, a bomb. Each is refused in words, and no thread is spent on it. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.js'
import { createComputePool } from '../../src/pool/compute-pool.js'
import { prepare } from '../../src/runtime/submission.js'
import type { Prepared } from '../../src/runtime/submission.js'
import { TaskType } from '../../src/tasks/task.js'
import type { ComputePool } from '../../src/tasks/compute-pool.js'
import { zipped } from '../zipped.js'

const folder = mkdtempSync(join(tmpdir(), 'sweepmill-doors-'))
const at = (name: string): string => join(folder, name)
const HEAD = 'date,open,high,low,close,volume\n'
const ROWS = Array.from({ length: 28 }, (_, day) => `2024-02-${String(day + 1).padStart(2, '0')},10,12,9,11,5\n`).join('')
/** What a file has behind its rows. */
const MANY_BLANKS = '\n'.repeat(24 * 2 ** 20)
let pool: ComputePool

beforeAll(() => {
  pool = createComputePool({ threads: 1, clock: systemClock })
  execFileSync('mkfifo', [at('pipe'), at('pipe.ts'), at('pipe.json'), at('with-pipe.csv.CHECKSUM')])
  for (const name of ['with-pipe.csv', 'with-device.csv', 'with-much.csv', 'good.csv']) writeFileSync(at(name), HEAD + ROWS)
  symlinkSync('/dev/zero', at('with-device.csv.CHECKSUM'))
  symlinkSync('/dev/zero', at('device'))
  writeFileSync(at('with-much.csv.CHECKSUM'), 'x'.repeat(2 ** 17))
})
afterAll(async () => {
  await pool.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Given {
  readonly file?: string
  readonly strategy?: string
  readonly execution?: object
  readonly roots?: readonly string[] | null
}

function prepared({ file = at('good.csv'), strategy = 'buy-and-hold', execution, roots = null }: Given): Promise<Prepared> {
  const data = { file, strategy: { name: strategy }, ...(execution === undefined ? {} : { execution }) }
  return prepare({ taskType: TaskType.BACKTEST, data, roots }, { pool, clock: systemClock, strategyDir: roots === null ? null : folder })
}

const says = (code: string, part: RegExp): unknown => expect.objectContaining({ code, message: expect.stringMatching(part) as unknown })

async function refused(given: Given, code: string, part: RegExp): Promise<void> {
  await expect(prepared(given)).rejects.toEqual(says(code, part))
  expect(pool.stats()).toMatchObject({ busy: 0, replacedThreads: 0 })
}

describe('a pipe or a device', () => {
  test.each([[null], [[folder]]])('as the data (roots %j)', async (roots) => {
    await refused({ file: at('pipe'), roots }, 'FILE_NOT_FOUND', /is a pipe, not a file/)
    if (roots === null) await refused({ file: at('device') }, 'FILE_NOT_FOUND', /is a device, not a file/)
  })

  test('that took the place of the data after it was looked at', async () => {
    await expect(pool.run({ step: 'parse_bars', input: { file: at('pipe'), source: 'pipe' }, priority: 'high', divisible: false, userCode: false }))
      .rejects.toEqual(says('FILE_NOT_FOUND', /is a pipe/))
  })

  test('as the checksum, or one that is no checksum by its size', async () => {
    await refused({ file: at('with-pipe.csv') }, 'DATA_CHECKSUM', /with-pipe\.csv\.CHECKSUM is no checksum: .*is a pipe/)
    await refused({ file: at('with-device.csv') }, 'DATA_CHECKSUM', /is a device/)
    await refused({ file: at('with-much.csv') }, 'DATA_CHECKSUM', /has 131072 bytes; 65536 are read at most/)
  })

  test('as the strategy, over both doors, or among what it imports', async () => {
    await refused({ strategy: at('pipe.ts') }, 'FILE_NOT_FOUND', /is a pipe/)
    await refused({ strategy: 'pipe', roots: [folder] }, 'FILE_NOT_FOUND', /is a pipe/)
    writeFileSync(at('imports.ts'), "import x from './pipe.json'\nimport { defineStrategy } from 'sweepmill'\nexport default defineStrategy({ name: 'x', params: {}, signals: () => x })")
    await refused({ strategy: at('imports.ts') }, 'STRATEGY_INVALID', /pipe\.json is a pipe/)
    writeFileSync(at('huge.json'), '1')
    truncateSync(at('huge.json'), 2 ** 30)
    writeFileSync(at('imports.ts'), "import x from './huge.json'\nimport { defineStrategy } from 'sweepmill'\nexport default defineStrategy({ name: 'x', params: {}, signals: () => x })")
    await refused({ strategy: at('imports.ts') }, 'STRATEGY_INVALID', /huge\.json has 1073741824 bytes/)
  })

  test('as the funding rates', async () => {
    await refused({ execution: { market: 'perpetual', funding: { file: at('pipe') } } }, 'FILE_NOT_FOUND', /is a pipe/)
    truncateSync(at('huge.json'), 2 ** 30)
    await refused({ execution: { market: 'perpetual', funding: { file: at('huge.json') } } }, 'PAYLOAD_TOO_LARGE', /has 1073741824 bytes/)
  })
})

describe('a file made to keep its reader busy', () => {
  test('packed blank lines without end', async () => {
    writeFileSync(at('blank.csv.gz'), gzipSync(HEAD + ROWS + MANY_BLANKS))
    await refused({ file: at('blank.csv.gz') }, 'DATA_FORMAT', /unpacks to more than 100 times/)
    writeFileSync(at('blank.zip'), zipped({ 'blank.csv': HEAD + ROWS + MANY_BLANKS }))
    await refused({ file: at('blank.zip') }, 'DATA_FORMAT', /unpacks to more than 100 times/)
  })

  test('blank lines before the first word, and behind the last', async () => {
    writeFileSync(at('blank.csv'), MANY_BLANKS)
    await refused({ file: at('blank.csv') }, 'DATA_FORMAT', /begins with \d+ bytes of blank lines/)
    writeFileSync(at('blank.csv'), HEAD + ROWS + MANY_BLANKS)
    expect((await prepared({ file: at('blank.csv') })).bars?.dataset.bars).toBe(28)
  })

  test('Parquet with more metadata than any', async () => {
    const footer = Buffer.concat([Buffer.from([0x19, 0xfc, 0x80, 0x80, 0x80, 0x04]), Buffer.alloc(2 ** 23 + 1)])
    const tail = Buffer.alloc(8)
    tail.writeUInt32LE(footer.length, 0)
    tail.write('PAR1', 4)
    writeFileSync(at('much.parquet'), Buffer.concat([Buffer.from('PAR1'), footer, tail]))
    await refused({ file: at('much.parquet') }, 'DATA_FORMAT', /more than 4000000 values of metadata/)
  })
})
