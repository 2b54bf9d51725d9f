/** `sweepmill tasks list|show|cancel|retry|export`: looking after tasks from a terminal. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { SweepmillError } from '../../base/errors.js'
import { isTaskId } from '../../base/ids.js'
import type { SagaView, TaskEventView, TaskView } from '../../tasks/backend.js'
import { taskDocument } from '../../tasks/task-document.js'
import { isFinal, STATUS_NAMES, statusNamed, TaskType } from '../../tasks/task.js'
import { cleanupSummary } from '../cleanup-summary.js'
import type { Invocation, Invocations } from '../context.js'
import { repeated, wholeNumber } from '../spec-flags.js'
import { backtestSummary } from '../backtest-summary.js'
import { eventTrail } from '../event-trail.js'
import { TASKS_HELP } from '../help-text.js'
import { sagaTimeline } from '../saga-timeline.js'
import { syncSummary } from '../sync-summary.js'
import { stepInWords } from '../step-words.js'
import { sweepSummary } from '../sweep-summary.js'
import { fittedTable, formatDuration, shownTime, TABLE_WIDTH, textPairs, WIDE } from '../text-table.js'
import { time } from '../time-flag.js'
import { noteMissingWorker } from '../worker-notice.js'
import { strategyName, symbolName } from '../task-subject.js'
import { taskExportCommand } from './task-export.js'

const MAX_LISTED = 1000
const SAGA_EVENT = /^(saga_start|saga_complete|step_|compensation_(start|complete|failed))/

interface ListFlags {
  readonly status?: string
  readonly type?: string
  readonly user?: string
  readonly name?: string
  readonly tag?: readonly string[]
  readonly limit: number
  readonly before?: string
  readonly wide?: boolean
}

export function tasksCommand(invocations: Invocations): Command {
  const list = new Command('list').description('tasks, newest first')
    .addOption(new Option('--status <status>', 'in this state only').choices(STATUS_NAMES))
    .option('--type <type>', 'such as backtest, sweep, sync or cleanup')
    .option('--user <id>', 'of this user only')
    .option('--name <text>', 'whose name has this in it')
    .option('--tag <tag>', 'that has this tag (repeatable: all of them)', repeated)
    .option('--limit <count>', 'at most so many', listLimit, 20)
    .option('--before <time>', 'created before this time', time)
    .option('--wide', WIDE)
  return new Command('tasks').description('list, show, cancel, retry or export tasks').addHelpText('after', TASKS_HELP)
    .addCommand(invocations.command(list, listTasks))
    .addCommand(invocations.command(new Command('show').argument('<id>').description('one task with its events').option('--wide', WIDE), showTask))
    .addCommand(invocations.command(new Command('cancel').argument('<id>').description('stop a task'),
      (invocation, _flags, [id]) => steer(invocation, 'cancel', id)))
    .addCommand(invocations.command(new Command('retry').argument('<id>').description('run a finished task again')
      .option('--start-over', 'of a sweep: forget the rows that it has, also of one that waits for a worker of another engine'),
    (invocation, { startOver }: { readonly startOver?: boolean }, [id]) => steer(invocation, 'retry', id, startOver === true)))
    .addCommand(taskExportCommand(invocations, taskIdOf))
}

function listLimit(text: string): number {
  const count = wholeNumber(text)
  if (count < 1 || count > MAX_LISTED) throw new InvalidArgumentError(`Write 1 to ${MAX_LISTED}.`)
  return count
}

async function listTasks(invocation: Invocation, flags: ListFlags): Promise<void> {
  const wide = flags.wide === true
  const { status: named, type, user: userId, name, tag: tags, limit, before } = flags
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const tasks = await (await workbench.connect('client')).tasks({ status: named === undefined ? undefined : statusNamed(named), type: type === undefined ? undefined : typeNamed(type), userId, name, tags, limit, before })
    output.document({ tasks })
    output.text(tasks.length === 0 ? 'No tasks.' : listed(tasks, wide))
  })
}

/** A long name is cut so that strategy and symbol both have a place beside id, type and status. */
const SYMBOL_WIDTH = 10
const LEAST_STRATEGY = 6

/** What id, type and status leave of a line, gaps taken off. */
function roomBeside(tasks: readonly TaskView[]): number {
  const longest = (of: (task: TaskView) => string): number => Math.max(...tasks.map((task) => of(task).length))
  return TABLE_WIDTH - longest((task) => task.task_id) - longest((task) => nameOfType(task.task_type)) - longest(listedStatus) - 8
}

function cut(text: string | null, width: number): string | null {
  return text === null || text.length <= width ? text : `${text.slice(0, width - 1)}…`
}

/** Names and tags have a column where any task has one. */
function listed(tasks: readonly TaskView[], wide: boolean): string {
  const [anyName, anyTag] = [tasks.some(({ name }) => name !== null), tasks.some(({ tags }) => tags.length > 0)]
  const header = ['task', 'type', 'status', ...(anyName ? ['name'] : []), 'strategy', 'symbol', 'created', 'took', 'priority', ...(anyTag ? ['tags'] : [])]
  const [strategyWidth, symbolWidth] = wide ? [Infinity, Infinity] : [Math.max(LEAST_STRATEGY, roomBeside(tasks) - SYMBOL_WIDTH), SYMBOL_WIDTH]
  const rows = tasks.map((task) => [
    task.task_id, nameOfType(task.task_type), listedStatus(task), ...(anyName ? [task.name] : []), cut(strategyName(task), strategyWidth), cut(symbolName(task), symbolWidth),
    shownTime(task.created_at, wide), took(task), task.priority, ...(anyTag ? [task.tags.join(' ')] : []),
  ])
  const drop = ['priority', 'tags', 'took', 'created', 'name', 'symbol', 'strategy'].filter((title) => header.includes(title))
  return fittedTable(header, rows, { drop, wide })
}

async function showTask(invocation: Invocation, { wide = false }: { readonly wide?: boolean }, [id]: readonly string[]): Promise<void> {
  const taskId = taskIdOf(id)
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const backend = await workbench.connect('client')
    const [task, events, checkpoints, sagas] = await Promise.all([backend.task(taskId), backend.events(taskId), backend.checkpoints(taskId), backend.sagas.ofTask(taskId)])
    output.document({ ...taskDocument(task), events, checkpoints, sagas })
    output.text(describe(task, events, sagas, wide))
  })
}

async function steer(invocation: Invocation, verb: 'cancel' | 'retry', id: string | undefined, startOver = false): Promise<void> {
  const taskId = taskIdOf(id)
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const backend = await workbench.connect('client')
    const task = await (verb === 'retry' ? backend.retry(taskId, { startOver }) : backend.cancel(taskId))
    invocation.output.document(task)
    // What was begun is undone by a worker, also where none has it in hand now.
    const done = verb === 'cancel' && task.status === 'pending' ? 'is asked to stop: the next worker that runs undoes what was begun and ends it'
      : task.status === 'processing' ? 'is asked to stop' : startOver ? `is ${task.status} and starts over` : `is ${task.status}`
    invocation.output.text(`Task ${taskId} ${done}.`)
    if (!isFinal(task.status)) await noteMissingWorker(invocation, backend)
  })
}

/** Refused before a service starts. */
function taskIdOf(id: string | undefined): string {
  if (id !== undefined && isTaskId(id)) return id.toLowerCase()
  throw new SweepmillError('TASK_NOT_FOUND', `"${id ?? ''}" is not the id of a task; "sweepmill tasks list" shows them.`, { details: { task_id: id ?? null } })
}

function describe(task: TaskView, events: readonly TaskEventView[], sagas: readonly SagaView[], wide: boolean): string {
  const facts = textPairs([
    ['type', task.task_type], ['priority', task.priority], ['status', statusOf(task)], ...(task.progress?.waits === undefined || isFinal(task.status) ? [] : [['waits', task.progress.waits] as const]),
    ['attempt', `${task.attempt} (retry ${task.retry_count} of ${task.max_retries}, generation ${task.generation})`],
    ['created', task.created_at], ['not before', task.not_before], ['deadline', task.deadline_at], ['started', task.started_at], ['completed', task.completed_at], ['took', took(task)], ['name', task.name], ['tags', task.tags.length === 0 ? null : task.tags.join(' ')], ['user', task.user_id],
    ...(task.error === null ? [] : [['error', `${task.error.message} [${task.error.code}]`] as const]),
  ])
  // What the saga's own lines tell is not told twice.
  const transitions = events.filter((event) => event.to_status !== null || !SAGA_EVENT.test(event.event))
  const parts = [`Task ${task.task_id}`, facts, `  spec  ${JSON.stringify(task.data)}`, '', eventTrail(transitions, wide), ...sagas.flatMap((saga) => ['', sagaTimeline(saga, wide)])]
  if (task.result !== null) parts.push('', resultOf(task, wide))
  return parts.join('\n')
}

/** As the command that waits for such a task prints it; anything else as JSON. */
function resultOf(task: TaskView, wide: boolean): string {
  if (task.task_type === TaskType.BACKTEST) return backtestSummary(task.result)
  if (task.task_type === TaskType.OPTIMIZATION) return sweepSummary(task.result, task.data, { task, busyShare: null }, wide)
  if (task.task_type === TaskType.CLEANUP) return cleanupSummary(task.result)
  if (task.task_type === TaskType.DATA_SYNC) return syncSummary(task.result)
  return `  result ${JSON.stringify(task.result, null, 2).replaceAll('\n', '\n  ')}`
}

function statusOf(task: TaskView): string {
  const { progress } = task
  if (task.status !== 'processing' || progress === null || progress.total <= 0) return task.status
  return `processing (${stepInWords(progress.step)}, ${Math.floor((100 * progress.done) / progress.total)} %)`
}

function listedStatus({ status, progress }: TaskView): string {
  return status === 'processing' && progress !== null && progress.total > 0 ? `running ${Math.floor((100 * progress.done) / progress.total)} %` : status
}

const TYPE_NAMES: Readonly<Record<string, string>> = { [TaskType.BACKTEST]: 'backtest', [TaskType.OPTIMIZATION]: 'sweep', [TaskType.DATA_SYNC]: 'sync' }

function nameOfType(type: string): string {
  return TYPE_NAMES[type] ?? type
}

/** By the command that makes such a task, or by its own name. */
function typeNamed(text: string): string {
  return Object.entries(TYPE_NAMES).find(([, name]) => name === text)?.[0] ?? text
}

function took(task: TaskView): string | null {
  return task.processing_time_ms === null ? null : formatDuration(task.processing_time_ms)
}
