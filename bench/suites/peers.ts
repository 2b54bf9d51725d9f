/**
 * The same backtests, on the same Redis and Postgres, with as many threads: as tasks and as one sweep of Sweepmill, as jobs of
 * BullMQ (its sandbox in worker threads) and of Graphile Worker (with a Piscina pool by hand). Ratios of one run.
 *
 * What is kept differs: a task of Sweepmill is committed to Postgres when it is accepted and when it ends, with its result,
 * trades, equity and history; BullMQ's jobs are in Redis (AOF every second), Graphile Worker's are deleted when they are done.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packageRoot } from '../../src/base/package-root.js'
import { newNonce } from '../../src/base/ids.js'
import { defineSaga } from '../../src/saga/saga-step.js'
import { TaskType } from '../../src/tasks/task.js'
import { register } from '../../src/workflows/workflow.js'
import type { WorkflowTools } from '../../src/workflows/workflow.js'
import type { Figure, Suite } from '../figure.js'
import { openWorkplace } from '../workplace.js'
import type { Workplace } from '../workplace.js'

const THREADS = 2
const FILE = join(packageRoot, 'samples', 'sp500-daily.csv')
const STRATEGY = { name: 'sma-cross' }

/** There and back: a thread echoes nothing, and the task ends. */
const emptyWorkflow = register<WorkflowTools>({
  taskType: 'empty', begin: (_attempt, tools) => tools, end: () => undefined,
  definition: defineSaga<WorkflowTools>({
    type: 'empty', version: 1,
    steps: [{
      name: 'echo', kind: 'pivot', endsRun: true,
      run: async (tools) => {
        await tools.compute({ step: 'echo', input: null, divisible: false, userCode: false })
        await tools.commit({ kind: 'completed', resultJson: null })
        return 'null'
      },
    }],
  }),
})

interface PeerMs {
  readonly backtests: number
  readonly noops: number
}

export const peersSuite: Suite = async ({ smoke, stateDir }) => {
  const folder = installed(stateDir)
  const [fasts, slows] = smoke ? [5, 5] : [40, 50]
  const params = Array.from({ length: fasts * slows }, (_, i) => ({ fast: 2 + Math.floor(i / slows), slow: 60 + (i % slows) }))
  const noops = smoke ? 50 : 5000
  const place = await openWorkplace(stateDir, 'worker', THREADS, undefined, [emptyWorkflow])
  try {
    const ours = { backtests: await ourBacktests(place, params), sweep: await ourSweep(place, fasts, slows), noops: await ourNoops(place, noops) }
    const peer = (name: string): PeerMs => {
      const order = {
        peer: name, redisUrl: place.redisUrl, databaseUrl: place.databaseUrl, prefix: `peers_${newNonce()}`, threads: THREADS, csv: FILE, params, noops,
        dist: pathToFileURL(join(packageRoot, 'dist')).href,
      }
      const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'run.mjs'), JSON.stringify(order)], { encoding: 'utf8', maxBuffer: 2 ** 26 })
      if (status !== 0) throw new Error(`${name} failed: ${stderr}`)
      return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as PeerMs
    }
    const figures: Figure[] = []
    const rate = (name: string, count: number, ms: number, unit: string): void => { figures.push({ name, value: count / (ms / 1000), unit }) }
    rate('backtests as tasks, Sweepmill', params.length, ours.backtests, 'backtests/s')
    rate('the same as one sweep, Sweepmill', params.length, ours.sweep, 'trials/s')
    rate('empty tasks there and back, Sweepmill', noops, ours.noops, 'tasks/s')
    for (const [name, label] of [['bullmq', 'BullMQ'], ['graphile', 'Graphile Worker']] as const) {
      const theirs = peer(name)
      rate(`backtests as jobs, ${label}`, params.length, theirs.backtests, 'backtests/s')
      rate(`empty jobs there and back, ${label}`, noops, theirs.noops, 'jobs/s')
      figures.push(
        { name: `one sweep to jobs of ${label}`, value: theirs.backtests / ours.sweep, unit: '×', target: { kind: 'min', value: 3 } },
        { name: `tasks to jobs of ${label}`, value: theirs.backtests / ours.backtests, unit: '×' },
        { name: `empty tasks to empty jobs of ${label}`, value: theirs.noops / ours.noops, unit: '×' },
      )
    }
    return { suite: 'peers', limit: `${THREADS} threads; ${params.length} backtests of 5105 bars, ${noops} empty tasks`, figures }
  } finally {
    await place.close()
  }
}

/** Beside the servers of the bench, with the versions that bench/peers/package.json names. */
function installed(stateDir: string): string {
  const folder = join(stateDir, 'bench', 'peers')
  mkdirSync(folder, { recursive: true })
  cpSync(join(packageRoot, 'bench', 'peers'), folder, { recursive: true })
  if (!existsSync(join(folder, 'node_modules', 'graphile-worker'))) {
    const { status, stderr } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--omit=dev'], { cwd: folder, encoding: 'utf8' })
    if (status !== 0) throw new Error(`the peers could not be installed from npm: ${stderr}`)
  }
  return folder
}

/** All backtests accepted in batches of 500, until the last one is completed. */
async function ourBacktests(place: Workplace, params: readonly object[]): Promise<number> {
  const { backend, queue } = place.runtime
  // One through the front door: it stores the bars, and its data names them.
  const { taskId } = await backend.submit({ taskType: TaskType.BACKTEST, roots: null, data: { file: FILE, strategy: { ...STRATEGY, params: params[0] } } })
  const { data } = await backend.wait(taskId)
  const fromMs = performance.now()
  for (let i = 0; i < params.length; i += 500) {
    await queue.enqueueTasks(params.slice(i, i + 500).map((one) => ({ taskType: TaskType.BACKTEST, data: { ...data, strategy: { ...STRATEGY, params: one } } })))
  }
  await until(place, params.length + 1)
  return performance.now() - fromMs
}

async function ourSweep(place: Workplace, fasts: number, slows: number): Promise<number> {
  const { backend } = place.runtime
  const fromMs = performance.now()
  const { taskId } = await backend.submit({
    taskType: TaskType.OPTIMIZATION, roots: null, fresh: true,
    data: { file: FILE, strategy: STRATEGY, space: { fast: { min: 2, max: 1 + fasts, step: 1 }, slow: { min: 60, max: 59 + slows, step: 1 } } },
  })
  const { status } = await backend.wait(taskId)
  if (status !== 'completed') throw new Error(`the sweep is ${status}`)
  return performance.now() - fromMs
}

async function ourNoops(place: Workplace, count: number): Promise<number> {
  const before = await place.countTasks('completed')
  const fromMs = performance.now()
  for (let i = 0; i < count; i += 500) await place.runtime.queue.enqueueTasks(Array.from({ length: Math.min(500, count - i) }, () => ({ taskType: 'empty', data: {} })))
  await until(place, before + count)
  return performance.now() - fromMs
}

async function until(place: Workplace, completed: number): Promise<void> {
  while (await place.countTasks('completed') < completed) {
    if (await place.countTasks('failed') > 0) throw new Error('a task failed')
    await new Promise((resolve) => { setTimeout(resolve, 20) })
  }
}
