/**
 * cleanup: plan → sweep_out → save_results. Removes, rule by rule and in small transactions, what nobody needs any more.
 *
 * The plan only counts, and fixes the times that all rules are judged by; a dry run ends there. What was removed cannot
 * be put back, so sweep_out has no compensation: to the saga it is read-only, like the chunks of a sweep. A cleanup that
 * is killed or cancelled leaves whole batches behind; running it again removes what is left.
 */
import { SweepmillError } from '../base/errors.js'
import { defineSaga } from '../saga/saga-step.js'
import { leaseLost } from '../tasks/lease-lost.js'
import { RETENTION_RULES } from '../tasks/retention.js'
import type { RetentionCutoffs, RuleCount } from '../tasks/retention.js'
import { TaskType } from '../tasks/task.js'
import type { Attempt } from '../tasks/task.js'
import { cutoffsOf, parseCleanupSpec } from './cleanup-spec.js'
import type { CleanupSpec } from './cleanup-spec.js'
import type { Workflow, WorkflowTools } from './workflow.js'

/** What the step `plan` logs. */
interface Plan {
  readonly cutoffs: RetentionCutoffs
  readonly rules: readonly RuleCount[]
}

/** What the step `sweep_out` logs. */
interface Removed {
  readonly rules: readonly RuleCount[]
  readonly partitions: readonly string[]
}

interface CleanupContext {
  readonly attempt: Attempt
  readonly tools: WorkflowTools
  readonly spec: CleanupSpec
  plan: Plan | null
  removed: Removed
}

async function plan({ tools, spec }: CleanupContext): Promise<Plan> {
  const cutoffs = cutoffsOf(spec, await tools.retention.now())
  const rules: RuleCount[] = []
  for (const [done, rule] of RETENTION_RULES.entries()) {
    tools.signal.throwIfAborted()
    tools.report({ step: 'plan', done, total: RETENTION_RULES.length })
    rules.push(await tools.retention.count(rule, cutoffs))
  }
  return { cutoffs, rules }
}

async function sweepOut({ attempt, tools }: CleanupContext, { cutoffs, rules }: Plan): Promise<Removed> {
  const writer = { taskId: attempt.taskId, attempt: attempt.attempt }
  const total = rules.reduce((sum, { rows }) => sum + rows, 0)
  let done = 0
  for (const rule of RETENTION_RULES) {
    for (let left = true; left;) {
      tools.signal.throwIfAborted()
      tools.report({ step: 'sweep_out', done: Math.min(done, total), total })
      const batch = await tools.retention.remove(rule, cutoffs, writer)
      if (batch === 'fenced') throw leaseLost(attempt.taskId, 'cleanup')
      done += batch.rows
      left = batch.rows > 0
    }
  }
  const partitions = await tools.retention.dropEmptyPartitions(cutoffs, writer)
  if (partitions === 'fenced') throw leaseLost(attempt.taskId, 'cleanup')
  const removed = new Map((await tools.retention.removed(attempt.taskId)).map((one) => [one.rule, one]))
  return { rules: RETENTION_RULES.map((rule) => removed.get(rule) ?? { rule, rows: 0, bytes: 0 }), partitions }
}

function planned(context: CleanupContext): Plan {
  if (context.plan === null) throw new SweepmillError('INVARIANT', 'A cleanup went on before it was planned.')
  return context.plan
}

export const cleanupWorkflow: Workflow<CleanupContext> = {
  taskType: TaskType.CLEANUP,
  begin: (attempt, tools) => ({ attempt, tools, spec: parseCleanupSpec(attempt.data), plan: null, removed: { rules: [], partitions: [] } }),
  end: () => undefined,
  definition: defineSaga<CleanupContext>({
    type: TaskType.CLEANUP,
    version: 1,
    steps: [
      {
        name: 'plan',
        kind: 'read-only',
        run: async (context) => JSON.stringify(context.plan = await plan(context)),
        resume: (context, output) => {
          context.plan = JSON.parse(output) as Plan
          return Promise.resolve()
        },
      },
      {
        name: 'sweep_out',
        kind: 'read-only',
        run: async (context) => {
          if (!context.spec.dry_run) context.removed = await sweepOut(context, planned(context))
          return JSON.stringify(context.removed)
        },
        resume: (context, output) => {
          context.removed = JSON.parse(output) as Removed
          return Promise.resolve()
        },
      },
      {
        name: 'save_results',
        kind: 'pivot',
        endsRun: true,
        run: async (context) => {
          const { spec, removed } = context
          const rules = spec.dry_run ? planned(context).rules : removed.rules
          const sum = (of: 'rows' | 'bytes'): number => rules.reduce((total, rule) => total + rule[of], 0)
          await context.tools.commit({
            kind: 'completed', resultJson: JSON.stringify({ dry_run: spec.dry_run, rules, rows: sum('rows'), bytes: sum('bytes'), dropped_partitions: removed.partitions }),
          })
          return 'null'
        },
        compensation: { name: 'rollback_results', undo: () => Promise.resolve() },
      },
    ],
  }),
}
