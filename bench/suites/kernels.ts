/** The kernel of a sweep on one core: bars × trials per second, indicator columns shared between trials. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/base/package-root.js'
import { builtinStrategy, parseSweepSpec, planSweep, TrialRunner } from '../../src/engine/index.js'
import type { SweepSpecInput } from '../../src/engine/index.js'
import { parseCsv } from '../../src/market/read-csv.js'
import type { Suite } from '../figure.js'

const SPEC = {
  file: 'samples/sp500-daily.csv', strategy: { name: 'sma-cross' }, objective: 'sharpe_ratio' as const,
  space: { fast: { min: 5, max: 50, step: 1 }, slow: { min: 60, max: 200, step: 5 } }, execution: { fee_rate: 0.001 },
} satisfies SweepSpecInput

export const kernelsSuite: Suite = async ({ smoke }) => {
  const bars = parseCsv(readFileSync(join(packageRoot, SPEC.file)), SPEC.file)
  const spec = parseSweepSpec(SPEC)
  const strategy = builtinStrategy('sma-cross')
  const plan = planSweep(spec, strategy)
  const pulse = { beat: () => false }
  const run = (): { ms: number; hash: string; trials: number } => {
    const runner = new TrialRunner(bars, strategy, plan, spec)
    const fromMs = performance.now()
    const rows = runner.run(0, smoke ? 200 : plan.fullSize, pulse)
    const ms = performance.now() - fromMs
    if (rows === 'stopped') throw new Error('nothing asked it to stop')
    const bytes = new Uint8Array(rows.rows.buffer, rows.rows.byteOffset, rows.rows.byteLength)
    return { ms, hash: createHash('sha256').update(bytes).digest('hex'), trials: rows.count }
  }
  run() // warm-up
  const runs = Array.from({ length: smoke ? 1 : 5 }, run).toSorted((a, b) => a.ms - b.ms)
  const median = runs[runs.length >> 1] ?? run()
  if (runs.some((one) => one.hash !== median.hash)) throw new Error('two runs of the same trials differ')
  const seconds = median.ms / 1000
  return Promise.resolve({
    suite: 'kernels', limit: 'about six passes over 8-byte columns a trial: 5 ns a bar',
    resultHash: median.hash,
    figures: [
      { name: 'trials on one core', value: median.trials / seconds, unit: 'trials/s' },
      { name: 'bars × trials on one core', value: (median.trials * bars.length) / seconds / 1e6, unit: 'million/s' },
      { name: 'slowest of the runs ÷ fastest', value: (runs.at(-1)?.ms ?? 0) / (runs[0]?.ms ?? 1), unit: 'ratio' },
    ],
  })
}
