/** Small workflows for fault tests: one that does nothing, one that holds a thread, one whose second step fails. */
import { SweepmillError } from '../../src/base/errors.js'
import { defineSaga } from '../../src/saga/saga-step.js'
import type { SagaStep } from '../../src/saga/saga-step.js'
import type { Attempt } from '../../src/tasks/task.js'
import { backtestWorkflow } from '../../src/workflows/backtest.js'
import { cleanupWorkflow } from '../../src/workflows/cleanup.js'
import { dataSyncWorkflow } from '../../src/workflows/data-sync.js'
import { optimizationWorkflow } from '../../src/workflows/optimization.js'
import { register } from '../../src/workflows/workflow.js'
import type { RegisteredWorkflow, WorkflowTools } from '../../src/workflows/workflow.js'

interface Context {
  readonly attempt: Attempt
  readonly tools: WorkflowTools
}

function workflow(taskType: string, before: readonly SagaStep<Context>[]): RegisteredWorkflow {
  return register<Context>({
    taskType,
    begin: (attempt, tools) => ({ attempt, tools }),
    end: () => undefined,
    definition: defineSaga<Context>({
      type: taskType, version: 1,
      steps: [...before, {
        name: 'save_results', kind: 'pivot', endsRun: true,
        run: async ({ attempt, tools }) => {
          await tools.commit({ kind: 'completed', resultJson: JSON.stringify({ attempt: attempt.attempt }) })
          return 'null'
        },
      }],
    }),
  })
}

/** One write before the pivot, so that every waypoint is passed. */
export const noopWorkflow = workflow('noop', [
  { name: 'look', kind: 'read-only', run: ({ tools }) => { tools.report({ step: 'look', done: 1, total: 1 }); return Promise.resolve('null') } },
])

/** Holds a thread for `data.spin_ms`, answering its pulse. */
export const spinWorkflow = workflow('spin', [{
  name: 'spin', kind: 'read-only',
  run: async ({ attempt, tools }) => {
    await tools.compute({ step: 'probe', input: { spin_ms: attempt.data['spin_ms'] ?? 100 }, divisible: false, userCode: false, onProgress: (done, total) => tools.report({ step: 'spin', done, total }) })
    return 'null'
  },
}])

/** Writes an artifact, then fails for good: the artifact must be gone however often the undo is interrupted. */
export const failingWorkflow = workflow('failing', [
  {
    name: 'write', kind: 'compensatable',
    run: async ({ attempt, tools }) => {
      await tools.artifacts.put(attempt.taskId, attempt.attempt, { equity: new Uint8Array([1, 2, 3]) })
      return 'null'
    },
    compensation: {
      name: 'unwrite',
      undo: async ({ attempt, tools }) => { await tools.artifacts.remove(attempt.taskId, attempt.attempt, ['equity']) },
    },
  },
  { name: 'fail', kind: 'read-only', run: () => Promise.reject(new SweepmillError('STRATEGY_FAILED', 'always')) },
])

/** The real workflows, but for a save that fails for good. */
export const unsavable: readonly RegisteredWorkflow[] = [register(backtestWorkflow), register(optimizationWorkflow), register(dataSyncWorkflow), register(cleanupWorkflow)].map((workflow) => ({
  ...workflow,
  definition: {
    ...workflow.definition,
    steps: workflow.definition.steps.map((step) => (step.name === 'save_results' ? { ...step, run: () => Promise.reject(new SweepmillError('COMPUTE_FAILED', 'the save fails')) } : step)),
  },
}))
