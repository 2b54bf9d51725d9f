/** `sweepmill dlq list|show|redrive|purge`: tasks that were given up, and what to do with them. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { SweepmillError } from '../../base/errors.js'
import { isTaskId } from '../../base/ids.js'
import type { DeadLetterFilter } from '../../tasks/dead-letters.js'
import { DEAD_LETTER_REASONS } from '../../tasks/task.js'
import type { Invocation, Invocations } from '../context.js'
import { eventTrail } from '../event-trail.js'
import { wholeNumber } from '../spec-flags.js'
import { fittedTable, shownTime, textPairs, WIDE } from '../text-table.js'
import { time } from '../time-flag.js'
import { noteMissingWorker } from '../worker-notice.js'

const LISTED = 20
/** Of bytes in quarantine, in a table. */
const SHOWN_BYTES = 12
const MAX_AT_ONCE = 10_000

interface FilterFlags {
  readonly type?: string
  readonly reason?: string
  readonly user?: string
  readonly since?: string
  readonly before?: string
  readonly limit?: number
  readonly wide?: boolean
}

interface ActFlags extends FilterFlags {
  readonly all?: boolean
  readonly dryRun?: boolean
}

export function dlqCommand(invocations: Invocations): Command {
  const list = filtered(new Command('list').description('dead letters, latest failure first'))
    .option('--wide', WIDE)
    .option('--quarantine', 'instead: entries that no task could be made of, by --since, --before and --limit')
  const show = new Command('show').argument('<id>').description('one dead letter with its error, stack and history').option('--wide', WIDE)
  const redrive = acting(new Command('redrive').description('run dead letters again, as a new generation with all their retries'))
  const purge = acting(new Command('purge').description('delete dead letters with their results and checkpoints; their history stays'))
  return new Command('dlq').description('list, show, redrive or purge dead letters')
    .addCommand(invocations.command(list, listLetters))
    .addCommand(invocations.command(show, showLetter))
    .addCommand(invocations.command(redrive, (invocation, flags, ids) => act(invocation, 'redrive', flags, ids)))
    .addCommand(invocations.command(purge, (invocation, flags, ids) => act(invocation, 'purge', flags, ids)))
}

function filtered(command: Command): Command {
  return command
    .option('--type <type>', 'such as backtest_workflow')
    .addOption(new Option('--reason <reason>', 'given up for this reason').choices(DEAD_LETTER_REASONS))
    .option('--user <id>', 'of this user only')
    .option('--since <time>', 'given up at this time or later', time)
    .option('--before <time>', 'given up before this time', time)
    .option('--limit <count>', 'at most so many', limit)
}

function acting(command: Command): Command {
  return filtered(command.argument('[ids...]', 'these tasks only'))
    .option('--all', 'every dead letter, where no other flag chooses')
    .option('--dry-run', 'print what would be done, and change nothing')
}

function limit(text: string): number {
  const count = wholeNumber(text)
  if (count < 1 || count > MAX_AT_ONCE) throw new InvalidArgumentError(`Write 1 to ${MAX_AT_ONCE}.`)
  return count
}

function filterOf({ type, reason, user: userId, since, before, limit: count }: FilterFlags, fallback?: number): DeadLetterFilter {
  return { type, reason, userId, since, before, limit: count ?? fallback }
}

async function listLetters(invocation: Invocation, flags: FilterFlags & { readonly quarantine?: boolean }): Promise<void> {
  const wide = flags.wide === true
  if (flags.quarantine === true) return listQuarantine(invocation, flags)
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const letters = await (await workbench.connect('client')).deadLetters.list(filterOf(flags, LISTED))
    output.document({ dead_letters: letters })
    output.text(letters.length === 0 ? 'No dead letters.' : fittedTable(['task', 'type', 'reason', 'error', 'attempts', 'last failure'],
      letters.map((letter) => [letter.task_id, letter.task_type, letter.reason, letter.error.code, letter.attempts, shownTime(letter.last_failure_at, wide)]),
      { drop: ['last failure', 'attempts', 'type'], wide }))
  })
}

async function listQuarantine(invocation: Invocation, { type, reason, user, since, before, limit: count, wide = false }: FilterFlags): Promise<void> {
  if ([type, reason, user].some((one) => one !== undefined)) {
    throw new SweepmillError('USAGE', 'What is in quarantine has no type, reason of a dead letter or user: leave --type, --reason and --user out.', { details: { flag: '--quarantine' } })
  }
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const entries = await (await workbench.connect('client')).deadLetters.quarantine({ since, before, limit: count ?? LISTED })
    output.document({ quarantine: entries })
    output.text(entries.length === 0 ? 'Nothing is in quarantine.' : fittedTable(['entry', 'priority', 'why', 'bytes', 'begins', 'at'],
      entries.map((entry) => [entry.message_id, entry.priority, entry.reason, entry.size_bytes, Buffer.from(entry.head_base64, 'base64').toString('hex', 0, SHOWN_BYTES), shownTime(entry.created_at, wide)]), { drop: ['begins', 'at'], wide }))
  })
}

async function showLetter(invocation: Invocation, { wide = false }: { readonly wide?: boolean }, [id]: readonly string[]): Promise<void> {
  const [taskId] = idsOf([id ?? ''])
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const backend = await workbench.connect('client')
    const [letter] = await backend.deadLetters.list({ taskIds: taskId === undefined ? [] : [taskId] })
    if (letter === undefined) throw new SweepmillError('TASK_NOT_FOUND', `No dead letter has the id ${taskId}; "sweepmill dlq list" shows them.`, { details: { task_id: taskId ?? null } })
    const events = await backend.events(letter.task_id)
    output.document({ ...letter, events })
    output.text([
      `Dead letter ${letter.task_id}`,
      textPairs([
        ['type', letter.task_type], ['priority', letter.priority], ['user', letter.user_id], ['reason', letter.reason],
        ['error', `${letter.error.message} [${letter.error.code}]`], ['attempts', `${letter.attempts} (generation ${letter.generation})`],
        ['first failure', letter.first_failure_at], ['last failure', letter.last_failure_at], ['input', letter.input_hash], ['entry', letter.message_id],
      ]),
      ...(letter.error.stack === undefined ? [] : ['', letter.error.stack]),
      '',
      eventTrail(events, wide),
    ].join('\n'))
  })
}

async function act(invocation: Invocation, verb: 'redrive' | 'purge', flags: ActFlags, given: readonly string[]): Promise<void> {
  const ids = idsOf(given)
  const filter = filterOf(flags)
  const chooses = ids.length > 0 || [filter.type, filter.reason, filter.userId, filter.since, filter.before, flags.limit].some((one) => one !== undefined)
  if (!chooses && flags.all !== true) {
    throw new SweepmillError('USAGE', `Say which dead letters to ${verb}: ids, a flag such as --type or --since, or --all. --dry-run shows what it would do.`)
  }
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const backend = await workbench.connect('client')
    const { deadLetters } = backend
    const dryRun = flags.dryRun === true
    const done = await deadLetters[verb]({ ...filter, ...(ids.length === 0 ? {} : { taskIds: ids }) }, dryRun)
    const missed = ids.filter((id) => !done.includes(id))
    output.document({ dry_run: dryRun, [verb === 'redrive' ? 'redriven' : 'purged']: done, not_dead_letters: missed })
    const what = verb === 'redrive' ? (dryRun ? 'would be redriven' : 'redriven') : (dryRun ? 'would be purged' : 'purged')
    output.text([...done, `${done.length} dead letter${done.length === 1 ? '' : 's'} ${what}.`].join('\n'))
    if (verb === 'redrive' && !dryRun && done.length > 0) await noteMissingWorker(invocation, backend)
    if (missed.length > 0) {
      output.note(`Not a dead letter: ${missed.join(', ')}.`)
      invocation.exitCode = 1
    }
  })
}

/** Refused before a service starts. */
function idsOf(ids: readonly string[]): string[] {
  const wrong = ids.find((id) => !isTaskId(id))
  if (wrong !== undefined) throw new SweepmillError('TASK_NOT_FOUND', `"${wrong}" is not the id of a task; "sweepmill dlq list" shows them.`, { details: { task_id: wrong } })
  return ids.map((id) => id.toLowerCase())
}
