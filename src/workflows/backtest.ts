/**
 * backtest_workflow: fetch_data → run_backtest → save_results, undone by rollback_results,
 * delete_backtest_results, delete_cached_data. The save is the pivot: result, state and audit commit together.
 */
import { defineSaga } from '../saga/saga-step.js'
import { leaseLost } from '../tasks/lease-lost.js'
import { TaskType } from '../tasks/task.js'
import type { Attempt } from '../tasks/task.js'
import type { BarsLease } from '../tasks/bar-store.js'
import { keepArtifacts } from './kept-artifacts.js'
import { pinnedSpec, strategyCode } from './task-spec.js'
import type { PinnedSpec } from './task-spec.js'
import type { Workflow, WorkflowTools } from './workflow.js'

export const BACKTEST_ARTIFACTS = ['trades', 'equity'] as const

interface BacktestContext {
  readonly attempt: Attempt
  readonly tools: WorkflowTools
  readonly pinned: PinnedSpec
  lease: BarsLease | null
  /** JSON text of the result, from the thread or, on a resumed run, from the log. */
  resultJson: string | null
}

async function fetchBars(context: BacktestContext): Promise<BarsLease> {
  context.lease ??= await context.tools.bars.acquire(context.pinned.dataHash, context.tools.signal,
    () => { context.tools.report({ step: 'fetch_data', done: 0, total: 1 }) })
  return context.lease
}

export const backtestWorkflow: Workflow<BacktestContext> = {
  taskType: TaskType.BACKTEST,
  begin: (attempt, tools) => ({ attempt, tools, pinned: pinnedSpec(attempt), lease: null, resultJson: null }),
  end: (context) => context.lease?.release(),
  definition: defineSaga<BacktestContext>({
    type: TaskType.BACKTEST,
    version: 1,
    steps: [
      {
        name: 'fetch_data',
        kind: 'compensatable',
        run: async (context) => {
          const lease = await fetchBars(context)
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
        name: 'run_backtest',
        kind: 'compensatable',
        run: async (context) => {
          const { attempt, tools, pinned } = context
          const lease = await fetchBars(context)
          const code = await strategyCode(pinned, tools)
          const reply = await tools.compute({
            step: 'backtest', input: { spec: pinned.spec }, shared: { bars: lease.buffer },
            ...(code === null ? {} : { bytes: { code } }), divisible: false, userCode: code !== null,
            onProgress: (done, total) => tools.report({ step: 'run_backtest', done, total }),
          })
          tools.barsProcessed(lease.bars)
          await keepArtifacts(tools.artifacts, attempt, reply.bytes, BACKTEST_ARTIFACTS)
          context.resultJson = reply.json
          return reply.json
        },
        resume: (context, output) => {
          context.resultJson = output
          return Promise.resolve()
        },
        compensation: {
          name: 'delete_backtest_results',
          undo: async ({ attempt, tools }) => {
            if (!await tools.artifacts.remove(attempt.taskId, attempt.attempt, BACKTEST_ARTIFACTS)) throw leaseLost(attempt.taskId, 'artifact')
          },
        },
      },
      {
        name: 'save_results',
        kind: 'pivot',
        endsRun: true,
        run: async (context) => {
          await context.tools.commit({ kind: 'completed', resultJson: context.resultJson })
          return 'null'
        },
        // The commit is one transaction: if it did not happen there is nothing to roll back, and if it did the
        // attempt is over and no undo runs. The undo stands in the log so that the history is complete.
        compensation: { name: 'rollback_results', undo: () => Promise.resolve() },
      },
    ],
  }),
}
