/**
 * A process with few file descriptors (`ulimit -n`), all but `free` of which it takes: every kind of file is read, then once
 * more with room. Prints the codes of both rounds as JSON. Arguments: a folder with the files, `free`.
 */
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.js'
import { toSweepmillError } from '../../src/base/errors.js'
import { createComputePool } from '../../src/pool/compute-pool.js'

const [folder = '', free = '0'] = process.argv.slice(2)
const STEPS: readonly (readonly [step: string, file: string])[] = [
  ['parse_bars', 'a.csv'], ['parse_bars', 'a.csv.gz'], ['parse_bars', 'a.zip'], ['parse_bars', 'a.parquet'], ['read_funding', 'funding.csv'], ['describe_strategy', 'mine.ts'],
  ['echo', ''],
]
const pool = createComputePool({ threads: 1, clock: systemClock })

async function codeOf(step: string, file: string): Promise<string> {
  try {
    await pool.run({ step, input: { file: join(folder, file), source: file }, priority: 'high', divisible: true, userCode: false })
    return 'ok'
  } catch (error) {
    return toSweepmillError(error).code
  }
}

async function round(): Promise<string[]> {
  const codes: string[] = []
  for (const [step, file] of STEPS) codes.push(await codeOf(step, file))
  return codes
}

/** Threads need no folder for temporary files. */
process.env['TMPDIR'] = join(folder, 'none')
const homeless = await codeOf('echo', '')

const taken: number[] = []
try {
  for (;;) taken.push(openSync('/dev/null', 'r'))
} catch {
  for (let i = 0; i < Number(free); i += 1) closeSync(taken.pop() ?? -1)
}
const short = await round()
for (const fd of taken) closeSync(fd)
let roomy = await round()
// A thread that was just starting may still end of what it met; what is kept is kept for ever.
for (let n = 0; n < 5 && roomy.some((code) => code !== 'ok'); n += 1) roomy = await round()
process.stdout.write(JSON.stringify({ homeless, short, roomy }))
await pool.close()
