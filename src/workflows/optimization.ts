/**
 * optimization_workflow: fetch_data → plan → run_chunks → rank → save_results.
 *
 * The grid is cut into quanta `[from, to)` that the plan fixes once; measured cost only decides how many quanta
 * travel to a thread together (about 50 ms). A quantum is finished when its row is committed; quanta commit in
 * groups at most 250 ms apart, so a crash costs at most what is in flight. Finished quanta are never undone:
 * a retry or a resumed attempt goes forward from them.
 */
import { MessageChannel } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { SweepmillError, toSweepmillError } from '../base/errors.js'
import { defineSaga } from '../saga/saga-step.js'
import { leaseLost } from '../tasks/lease-lost.js'
import { otherEngine } from '../tasks/other-engine.js'
import { TaskType } from '../tasks/task.js'
import type { Attempt } from '../tasks/task.js'
import type { BarsLease } from '../tasks/bar-store.js'
import type { QuantumRows, SweepRecord } from '../tasks/sweep-store.js'
import { ChunkPlanner, quantumSizeFor } from './chunk-planner.js'
import { ChunkWork } from './chunk-work.js'
import type { PartReply } from './chunk-work.js'
import { keepArtifacts } from './kept-artifacts.js'
import { pinnedSpec, strategyCode } from './task-spec.js'
import type { PinnedSpec } from './task-spec.js'
import type { Workflow, WorkflowTools } from './workflow.js'

export const SWEEP_ARTIFACTS = ['ranking', 'equity', 'trades'] as const

/** The result column holds at most 64 KiB; the whole ranking is in sweep_top and in the artifact `ranking`. */
const RESULT_BYTES = 60 * 1024
const COMMIT_EVERY_MS = 200
/** Twice what a chunk is meant to take: how long a step of a sweep holds its thread at most, whatever its points cost. */
const PART_MS = 100
const PAGE_BYTES = 4 * 1024 * 1024

interface OptimizationContext {
  readonly attempt: Attempt
  readonly tools: WorkflowTools
  readonly pinned: PinnedSpec
  lease: BarsLease | null
  code: Uint8Array | null | undefined
  /** The plan is in the log, of this attempt or an earlier one. */
  planned: boolean
  sweep: SweepRecord | null
  reusedQuanta: number
  ranked: RankedSweep | null
}

/** What `rank` logs: small enough for a step output. `result` is the task's result. */
interface RankedSweep {
  readonly result: { readonly trials: number; readonly result_hash: string; readonly top: readonly unknown[] } & Record<string, unknown>
}

/** What `plan_sweep` replies. */
interface PlanReply {
  readonly full_size: number
  readonly spec_hash: string
  readonly us_per_trial: number
}

async function barsOf(context: OptimizationContext): Promise<BarsLease> {
  context.lease ??= await context.tools.bars.acquire(context.pinned.dataHash, context.tools.signal,
    () => { context.tools.report({ step: 'fetch_data', done: 0, total: 1 }) })
  return context.lease
}

/** The parts of a request that every step of one sweep shares. */
async function computeOn(context: OptimizationContext, step: string, input: Record<string, unknown>,
  options: { divisible: boolean; port?: MessagePort }): Promise<Awaited<ReturnType<WorkflowTools['compute']>>> {
  const lease = await barsOf(context)
  context.code ??= await strategyCode(context.pinned, context.tools)
  return context.tools.compute({
    step, input: { spec: context.pinned.spec, ...input }, shared: { bars: lease.buffer },
    ...(context.code === null ? {} : { bytes: { code: context.code } }), userCode: context.code !== null,
    divisible: options.divisible, ...(options.port === undefined ? {} : { port: options.port }),
  })
}

/**
 * The sweep as it was begun, or begun now. One with rows of another engine is handed back (NOT_RESOLVABLE), whichever step is
 * to go on: what an earlier attempt logged as the plan says only what was planned then.
 */
async function ownSweep(context: OptimizationContext): Promise<SweepRecord> {
  const { attempt, tools } = context
  const resumed = await tools.sweeps.resume(attempt.taskId, attempt.attempt, tools.engineVersion)
  if (resumed === null) throw leaseLost(attempt.taskId, 'sweep_plan')
  // Undoing it needs no engine, and an attempt that hands it back is over before it could hear of a cancel.
  if (resumed.kind === 'foreign' && resumed.sweep.isCancelled) throw new SweepmillError('TASK_CANCELLED', `Task ${attempt.taskId} was cancelled.`)
  if (resumed.kind === 'foreign') throw otherEngine(resumed.sweep, tools.engineVersion)
  return resumed.kind === 'own' && context.planned ? resumed.sweep : plan(context)
}

/** The search for a trial may take long, where a long constraint excludes nearly all. */
async function planInParts(context: OptimizationContext): Promise<PlanReply> {
  for (let from = 0; ;) {
    const reply = await computeOn(context, 'plan_sweep', { from, most_ms: PART_MS }, { divisible: true })
    const planned = JSON.parse(reply.json) as PlanReply | { readonly next: number }
    if (!('next' in planned)) return planned
    from = planned.next
  }
}

async function plan(context: OptimizationContext): Promise<SweepRecord> {
  const { attempt, tools, pinned } = context
  const planned = await planInParts(context)
  const quantumSize = quantumSizeFor(planned.full_size, planned.us_per_trial)
  const sweep = await tools.sweeps.begin({
    sweepId: attempt.taskId, specHash: planned.spec_hash, dataHash: pinned.dataHash, engineVersion: tools.engineVersion,
    fullSize: planned.full_size, quantumSize, quanta: Math.ceil(planned.full_size / quantumSize),
  }, attempt.attempt, attempt.generation)
  if (sweep === null) throw leaseLost(attempt.taskId, 'sweep_plan')
  context.planned = true
  return sweep
}

async function runChunks(context: OptimizationContext, sweep: SweepRecord): Promise<void> {
  const { attempt, tools } = context
  const before = await tools.sweeps.finished(sweep.sweepId)
  context.reusedQuanta = before.quanta.length
  const planner = new ChunkPlanner(sweep, before.quanta)
  const lease = await barsOf(context)
  let uncommitted: QuantumRows[] = []
  let committing: Promise<void> = Promise.resolve()
  let lastCommitMs = tools.clock.monotonicMs()
  const report = (): void => tools.report({ step: 'run_chunks', done: planner.doneIndices, total: sweep.fullSize })

  const commit = async (): Promise<void> => {
    const group = uncommitted
    uncommitted = []
    lastCommitMs = tools.clock.monotonicMs()
    if (group.length > 0 && !await tools.sweeps.saveQuanta(sweep, attempt.attempt, group)) throw leaseLost(attempt.taskId, 'sweep_rows')
  }
  const lane = async (): Promise<void> => {
    for (let chunk = planner.next(); chunk !== null; chunk = planner.next()) {
      for (const work = new ChunkWork(chunk); !work.isDone;) {
        tools.signal.throwIfAborted()
        const reply = await computeOn(context, 'run_trials', { ranges: work.ranges, most_ms: PART_MS }, { divisible: true })
        const part = work.add(JSON.parse(reply.json) as PartReply, reply.bytes)
        uncommitted.push(...part.finished)
        tools.barsProcessed(part.trials * lease.bars)
        planner.advanced(part.points)
        report()
        if (tools.clock.monotonicMs() - lastCommitMs >= COMMIT_EVERY_MS) {
          lastCommitMs = tools.clock.monotonicMs()
          committing = committing.then(commit)
          await committing
        }
        if (work.isDone) planner.finished(work.costMs)
      }
    }
  }
  report()
  // One lane more than threads: a finished thread finds its next chunk already waiting.
  const lanes = await Promise.allSettled(Array.from({ length: tools.threads + 1 }, lane))
  const failed = lanes.find((one) => one.status === 'rejected')
  if (failed !== undefined) {
    const error = toSweepmillError(failed.reason, 'COMPUTE_FAILED')
    // What was computed is worth keeping, unless the lease is gone.
    if (error.code !== 'LEASE_LOST') await committing.then(commit).catch(() => undefined)
    throw error
  }
  await committing.then(commit)
  report()
}

/** Feeds a thread pages of rows over a port as it asks for them; the main thread holds one page at a time. */
export async function servePages(port: MessagePort, pages: AsyncIterable<readonly Uint8Array[]>): Promise<void> {
  const iterator = pages[Symbol.asyncIterator]()
  await new Promise<void>((resolve, reject) => {
    port.on('message', (message: { type: string }) => {
      if (message.type !== 'next') return
      iterator.next().then(({ value, done }) => {
        if (done === true) {
          port.postMessage({ type: 'end' })
          resolve()
        } else {
          port.postMessage({ type: 'page', rows: value })
        }
      }, reject)
    })
    port.on('close', resolve)
  })
}

async function rank(context: OptimizationContext, sweep: SweepRecord): Promise<string> {
  const { attempt, tools } = context
  const { port1, port2 } = new MessageChannel()
  const serving = servePages(port1, tools.sweeps.pages(sweep.sweepId, PAGE_BYTES))
  try {
    const [reply] = await Promise.all([
      computeOn(context, 'rank_sweep', { reused_chunks: context.reusedQuanta, quanta: sweep.quanta, data_hash: sweep.dataHash, spec_hash: sweep.specHash }, { divisible: false, port: port2 }),
      serving,
    ])
    await keepArtifacts(tools.artifacts, attempt, reply.bytes, SWEEP_ARTIFACTS)
    return reply.json
  } finally {
    port1.close()
  }
}

/** The best trials, as many as the result column holds: about forty with held-out figures. */
function topThatFits(result: RankedSweep['result']): readonly unknown[] {
  let room = RESULT_BYTES - Buffer.byteLength(JSON.stringify({ ...result, top: [] }))
  const end = result.top.findIndex((trial) => {
    room -= Buffer.byteLength(JSON.stringify(trial)) + 1
    return room < 0
  })
  return end < 0 ? result.top : result.top.slice(0, end)
}

export const optimizationWorkflow: Workflow<OptimizationContext> = {
  taskType: TaskType.OPTIMIZATION,
  begin: (attempt, tools) => ({
    attempt, tools, pinned: pinnedSpec(attempt), lease: null, code: undefined, planned: false, sweep: null, reusedQuanta: 0, ranked: null,
  }),
  end: (context) => context.lease?.release(),
  definition: defineSaga<OptimizationContext>({
    type: TaskType.OPTIMIZATION,
    version: 1,
    steps: [
      {
        name: 'fetch_data',
        kind: 'compensatable',
        run: async (context) => {
          const lease = await barsOf(context)
          return JSON.stringify({ data_hash: lease.dataHash, bars: lease.bars })
        },
        compensation: {
          name: 'delete_cached_data',
          undo: (context) => {
            context.lease?.release()
            context.lease = null
            context.tools.bars.drop(context.pinned.dataHash)
            return Promise.resolve()
          },
        },
      },
      {
        name: 'plan',
        kind: 'read-only',
        run: async (context) => {
          context.sweep = await ownSweep(context)
          return JSON.stringify(context.sweep)
        },
        resume: (context) => {
          context.planned = true
          return Promise.resolve()
        },
      },
      {
        // Read-only to the saga: its rows are results in their own right and are kept, whatever happens later.
        name: 'run_chunks',
        kind: 'read-only',
        run: async (context) => {
          const sweep = context.sweep ?? await ownSweep(context)
          context.sweep = sweep
          await runChunks(context, sweep)
          return JSON.stringify({ quanta: sweep.quanta, reused: context.reusedQuanta })
        },
        resume: (context, output) => {
          context.reusedQuanta = (JSON.parse(output) as { quanta: number }).quanta
          return Promise.resolve()
        },
      },
      {
        name: 'rank',
        kind: 'compensatable',
        run: async (context) => {
          const json = await rank(context, context.sweep ?? await ownSweep(context))
          context.ranked = { result: JSON.parse(json) as RankedSweep['result'] }
          return json
        },
        resume: (context, output) => {
          context.ranked = { result: JSON.parse(output) as RankedSweep['result'] }
          return Promise.resolve()
        },
        compensation: {
          name: 'delete_backtest_results',
          undo: async ({ attempt, tools }) => {
            if (!await tools.artifacts.remove(attempt.taskId, attempt.attempt, SWEEP_ARTIFACTS)) throw leaseLost(attempt.taskId, 'artifact')
          },
        },
      },
      {
        name: 'save_results',
        kind: 'pivot',
        endsRun: true,
        run: async (context) => {
          const result = context.ranked?.result
          if (result === undefined) throw new SweepmillError('INVARIANT', 'A sweep was saved before it was ranked.')
          await context.tools.commit({
            kind: 'completed', resultJson: JSON.stringify({ ...result, top: topThatFits(result) }),
            sweep: { trials: result.trials, resultHash: result.result_hash, topJson: JSON.stringify(result.top) },
          })
          return 'null'
        },
        compensation: { name: 'rollback_results', undo: () => Promise.resolve() },
      },
    ],
  }),
}
