import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { assertWritable, writeFileAtomically, writeOutput } from '../../../src/cli/output-file.js'
import { Output } from '../../../src/cli/output.js'
import { bytesTo } from '../../../src/cli/stdout-bytes.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'sweepmill-out-')) })
afterEach(() => { rmSync(folder, { recursive: true }) })

test('a file appears whole, or the old one stays and nothing is left beside it', async () => {
  const path = join(folder, 'trades.csv')
  writeFileSync(path, 'old')
  await expect(writeFileAtomically(path, async (write) => {
    await write(bytes('half'))
    expect(readFileSync(path, 'utf8')).toBe('old')
    throw new Error('the database went away')
  })).rejects.toThrow('went away')
  expect([readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual(['old', ['trades.csv']])
  await writeFileAtomically(path, async (write) => { await write(bytes('new ')); await write(bytes('text')) })
  expect([readFileSync(path, 'utf8'), readdirSync(folder)]).toEqual(['new text', ['trades.csv']])
})

test('a pipe is written to, not replaced', async () => {
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  await assertWritable({ '--trades': path })
  const [read] = await Promise.all([readFile(path, 'utf8'), writeFileAtomically(path, (write) => write(bytes('through')))])
  expect([read, readdirSync(folder)]).toEqual(['through', ['pipe']])
})

test('a disk that is full and a name that is too long are told in words, and what failed before is told as it is', async () => {
  await expect(writeFileAtomically('/dev/full', (write) => write(bytes('text')))).rejects.toMatchObject({ code: 'USAGE', message: '/dev/full cannot be written: the disk is full; make room, or name another place.' })
  const long = join(folder, `${'x'.repeat(250)}.csv`)
  await expect(writeFileAtomically(long, (write) => write(bytes('text')))).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('its name is too long') as string })
  await expect(writeFileAtomically(join(folder, 'gone', 'x.csv'), (write) => write(bytes('text')))).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining('ENOENT') as string })
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  await expect(writeFileAtomically(join(folder, 'x.csv'), () => Promise.reject(refused))).rejects.toBe(refused)
  expect(readdirSync(folder)).toEqual([])
})

test('the reader of a pipe that goes away ends the writing too', async () => {
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  const reader = spawn('head', ['-c', '1', path])
  const gone = once(reader, 'close')
  let written = 0
  await writeFileAtomically(path, async (write) => {
    await write(bytes('1'))
    await gone
    for (; written < 10; written += 1) await write(bytes('more'))
  })
  expect(written).toBe(0)
})

test('a reader that goes away ends the writing, and is no failure', async () => {
  const pieces: string[] = []
  const stream = new Writable({
    write(piece: Buffer, _encoding, done) {
      pieces.push(piece.toString())
      done(pieces.length < 3 ? null : Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    },
  })
  const output = new Output({ stdout: stream, stderr: stream, writeStdout: bytesTo(stream), env: {} }, false)
  let asked = 0
  await writeOutput(output, '-', async (write) => {
    for (; asked < 100; asked += 1) await write(bytes(`${asked};`))
  })
  // What comes after the one that found nobody is not even made.
  expect([pieces, asked]).toEqual([['0;', '1;', '2;'], 2])
  await expect(writeOutput(output, '-', () => Promise.reject(new Error('the database went away')))).rejects.toThrow('went away')
})

test('flags that are not given are no outputs', async () => {
  await expect(assertWritable({ '--trades': undefined }, [undefined])).resolves.toBeUndefined()
})
