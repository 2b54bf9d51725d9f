/** `sweepmill sagas list|show|resume|skip`: how tasks went, step by step, and deciding about one whose undo failed. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { SweepmillError } from '../../base/errors.js'
import { isTaskId } from '../../base/ids.js'
import { SAGA_STATUSES } from '../../tasks/backend.js'
import type { Invocation, Invocations } from '../context.js'
import { sagaTimeline } from '../saga-timeline.js'
import { wholeNumber } from '../spec-flags.js'
import { fittedTable, shownTime, WIDE } from '../text-table.js'

const LISTED = 20
const MAX_LISTED = 1000

interface DecideFlags {
  readonly reason: string
  readonly user?: string
}

export function sagasCommand(invocations: Invocations): Command {
  const list = new Command('list').description('sagas, latest first').option('--wide', WIDE)
    .addOption(new Option('--status <status>', 'in this state only').choices(SAGA_STATUSES))
    .option('--type <type>', 'such as backtest_workflow')
    .option('--limit <count>', 'at most so many', listLimit, LISTED)
  const show = new Command('show').argument('<task>').description('the runs of one task\'s saga, step by step').option('--wide', WIDE)
  const resume = deciding(new Command('resume').description('try the failed undo again, with its whole budget'))
  const skip = deciding(new Command('skip').description('leave the failed undo out, and undo what comes before it'))
  return new Command('sagas').description('list, show, resume or skip sagas')
    .addCommand(invocations.command(list, listSagas))
    .addCommand(invocations.command(show, showSaga))
    .addCommand(invocations.command(resume, (invocation, flags, ids) => decide(invocation, 'resume', flags, ids)))
    .addCommand(invocations.command(skip, (invocation, flags, ids) => decide(invocation, 'skip', flags, ids)))
}

function deciding(command: Command): Command {
  return command.argument('<task>')
    .requiredOption('--reason <text>', 'why; it is kept in the task\'s history', reason)
    .option('--user <id>', 'who decides')
}

function reason(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Say why.')
  return text
}

function listLimit(text: string): number {
  const count = wholeNumber(text)
  if (count < 1 || count > MAX_LISTED) throw new InvalidArgumentError(`Write 1 to ${MAX_LISTED}.`)
  return count
}

async function listSagas(invocation: Invocation, { wide = false, ...flags }: { readonly status?: string; readonly type?: string; readonly limit: number; readonly wide?: boolean }): Promise<void> {
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const sagas = await (await workbench.connect('client')).sagas.list(flags)
    output.document({ sagas })
    output.text(sagas.length === 0 ? 'No sagas.' : fittedTable(['task', 'status', 'last step', 'saga', 'run', 'started'],
      sagas.map((saga) => [saga.task_id, saga.status, saga.steps.at(-1)?.step ?? null, saga.saga_type, saga.run, shownTime(saga.started_at, wide)]),
      { drop: ['started', 'run', 'saga', 'last step'], wide }))
  })
}

async function showSaga(invocation: Invocation, { wide = false }: { readonly wide?: boolean }, [id]: readonly string[]): Promise<void> {
  const taskId = taskIdOf(id)
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const sagas = await (await workbench.connect('client')).sagas.ofTask(taskId)
    if (sagas.length === 0) throw new SweepmillError('TASK_NOT_FOUND', `No saga belongs to a task ${taskId}; "sweepmill sagas list" shows them.`, { details: { task_id: taskId } })
    output.document({ task_id: taskId, sagas })
    output.text(sagas.map((saga) => sagaTimeline(saga, wide)).join('\n\n'))
  })
}

async function decide(invocation: Invocation, verb: 'resume' | 'skip', flags: DecideFlags, [id]: readonly string[]): Promise<void> {
  const taskId = taskIdOf(id)
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const saga = await (await workbench.connect('client')).sagas[verb](taskId, { reason: flags.reason, userId: flags.user ?? null })
    output.document(saga)
    output.text(saga.status === 'compensated'
      ? `The saga of task ${taskId} is compensated. The task stays a dead letter; "sweepmill dlq redrive ${taskId}" runs it again.`
      : `The saga of task ${taskId} is ${saga.status.replace('_', ' ')}; a worker goes on with it.`)
  })
}

/** Refused before a service starts. */
function taskIdOf(id: string | undefined): string {
  if (id !== undefined && isTaskId(id)) return id.toLowerCase()
  throw new SweepmillError('TASK_NOT_FOUND', `"${id ?? ''}" is not the id of a task; "sweepmill sagas list" shows them.`, { details: { task_id: id ?? null } })
}
