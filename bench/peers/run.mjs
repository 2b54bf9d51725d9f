/**
 * The peers at the same work, on the same Redis and Postgres, with as many threads: prints one JSON document.
 * Argument: JSON of {redisUrl, databaseUrl, prefix, dist, csv, threads, params: [{fast, slow}], noops}.
 *
 * BullMQ runs its sandbox in worker threads; Graphile Worker hands its jobs to a Piscina pool, as one writes it by hand.
 * Both are given all jobs at once, in their own batches.
 */
import { fileURLToPath } from 'node:url'
import { Queue, Worker } from 'bullmq'
import { makeWorkerUtils, run } from 'graphile-worker'
import { Redis } from 'ioredis'
import { Piscina } from 'piscina'

const order = JSON.parse(process.argv[2])
const { redisUrl, databaseUrl, prefix, dist, csv, threads } = order
const jobs = order.params.map((params) => ({ dist, csv, params }))
const noops = Array.from({ length: order.noops }, () => ({ dist, csv }))
const file = fileURLToPath(new URL('work.mjs', import.meta.url))

async function bullmq(data) {
  const client = () => new Redis(redisUrl.startsWith('unix:') ? redisUrl.slice('unix:'.length).replace(/^\/\/(?=\/)/, '') : redisUrl, { maxRetriesPerRequest: null })
  const name = `work-${data === noops ? 'noop' : 'backtest'}`
  const queue = new Queue(name, { connection: client(), prefix })
  const worker = new Worker(name, file, { connection: client(), prefix, concurrency: threads, useWorkerThreads: true, autorun: false })
  let done = 0
  const finished = new Promise((resolve, reject) => {
    worker.on('completed', () => { done += 1; if (done === data.length) resolve() })
    worker.on('failed', (_job, error) => reject(error))
  })
  const running = worker.run()
  await worker.waitUntilReady()
  const fromMs = performance.now()
  for (let i = 0; i < data.length; i += 500) await queue.addBulk(data.slice(i, i + 500).map((one) => ({ name, data: one })))
  await finished
  const ms = performance.now() - fromMs
  await worker.close()
  await running
  await queue.obliterate({ force: true })
  await queue.close()
  return ms
}

async function graphile(data) {
  const pool = new Piscina({ filename: file, minThreads: threads, maxThreads: threads })
  const schema = `${prefix}_graphile`.replaceAll(/\W/g, '_')
  const utils = await makeWorkerUtils({ connectionString: databaseUrl, schema })
  await utils.migrate()
  let done = 0
  let finish
  const finished = new Promise((resolve) => { finish = resolve })
  const quiet = { scope: () => quiet, log: () => undefined, error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined }
  const runner = await run({
    connectionString: databaseUrl, schema, concurrency: threads * 2, noHandleSignals: true, pollInterval: 100, maxPoolSize: 8, logger: quiet,
    taskList: { work: async (payload) => { await pool.run(payload); done += 1; if (done === data.length) finish() } },
  })
  const fromMs = performance.now()
  for (let i = 0; i < data.length; i += 500) {
    await utils.withPgClient((client) => client.query(`select ${schema}.add_job('work', payload) from json_array_elements($1::json) as payload`, [JSON.stringify(data.slice(i, i + 500))]))
  }
  await finished
  const ms = performance.now() - fromMs
  await runner.stop()
  await utils.withPgClient((client) => client.query(`drop schema ${schema} cascade`))
  await utils.release()
  await pool.destroy()
  return ms
}

const peers = { bullmq, graphile }
const only = order.peer
const results = { backtests: await peers[only](jobs), noops: await peers[only](noops) }
console.log(JSON.stringify(results))
process.exit(0)
