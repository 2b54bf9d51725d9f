/**
 * One backtest, as a hand-written job runs it: bars parsed once a thread, then Sweepmill's own engine. All systems under test
 * compute the same with the same code; what differs is how the work gets to the threads and what is kept of it.
 */
import { readFileSync } from 'node:fs'

let ready = null

async function open(dist, csv) {
  const engine = await import(`${dist}/src/index.js`)
  const bars = engine.parseCsv(readFileSync(csv), csv)
  const strategy = engine.builtinStrategies.get('sma-cross')
  return (params) => engine.runBacktest(bars, strategy, engine.parseBacktestSpec({ file: csv, strategy: { name: 'sma-cross', params } }))
}

/** `{dist, csv, params}`; without params it does nothing, which measures the way there and back. */
export async function work({ dist, csv, params }) {
  if (params === undefined) return null
  ready ??= open(dist, csv)
  const run = await ready
  return run(params).summary
}

/** Piscina calls it with the data. BullMQ's sandbox calls it with the job. */
export default (job) => work(job.params === undefined && job.data !== undefined ? job.data : job)
