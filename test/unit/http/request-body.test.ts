/** When a body is too slow, by a clock that a test moves. */
import { PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Clock } from '../../../src/base/clock.js'
import { systemClock } from '../../../src/base/clock.js'
import { RequestBodies } from '../../../src/http/request-body.js'

const KIB = 1024

/** A body of which `bytes` came before each look; resolves with how it ended, and after how many seconds. */
async function readSlowly(bytes: readonly number[]): Promise<{ readonly end: unknown; readonly seconds: number }> {
  let nowMs = 0
  let look = (): void => undefined
  const clock: Clock = { ...systemClock, monotonicMs: () => nowMs, every: (_ms, run) => { look = run; return () => undefined } }
  const stream = new PassThrough()
  let end: unknown = null
  const reading = new RequestBodies(clock).read(stream, undefined, () => undefined).then((body) => { end = body.length }, (error: unknown) => { end = error })
  for (const some of bytes) {
    if (some > 0) {
      const came = new Promise((resolve) => { stream.once('data', resolve) })
      stream.write(Buffer.alloc(some))
      await came
    }
    nowMs += 1000
    look()
    await turn()
    if (end !== null) break
  }
  if (end === null) stream.end()
  await reading
  return { end, seconds: nowMs / 1000 }
}

test.each<readonly [what: string, bytes: readonly number[], seconds: number | null]>([
  ['a byte a second', Array.from({ length: 60 }, () => 1), 6],
  ['nothing at all', Array.from({ length: 60 }, () => 0), 6],
  ['enough at first and then nothing', [20 * KIB, ...Array.from({ length: 60 }, () => 0)], 21],
  ['enough all the time, for too long', Array.from({ length: 60 }, () => 2 * KIB), 31],
  ['slow at first, and done in time', [0, 0, 0, 0, 30 * KIB, ...Array.from({ length: 20 }, () => KIB)], null],
])('%s', async (_what, bytes, seconds) => {
  const { end, seconds: after } = await readSlowly(bytes)
  if (seconds === null) expect(end).toBe(bytes.reduce((sum, some) => sum + some, 0))
  else expect([end, after]).toEqual([expect.objectContaining({ code: 'REQUEST_TIMEOUT' }), seconds])
})
