/** `sweepmill schedules add|list|remove|pause|resume`: tasks that are made again and again by a cron expression. */
import { Command } from 'commander'
import type { ScheduleView } from '../../tasks/backend.js'
import { TaskType } from '../../tasks/task.js'
import { addCleanupFlags, cleanupSpec } from '../cleanup-flags.js'
import type { CleanupFlags } from '../cleanup-flags.js'
import { addSyncFlags, syncSpec } from '../sync-flags.js'
import type { SyncFlags } from '../sync-flags.js'
import type { Invocation, Invocations } from '../context.js'
import type { Workbench } from '../session.js'
import { addSpecFlags, addSweepFlags, backtestSpec, sweepSpec } from '../spec-flags.js'
import type { Spec, SpecFlags, SweepFlags } from '../spec-flags.js'
import { addQueueFlags, taskRequest } from '../task-flags.js'
import type { QueueFlags } from '../task-flags.js'
import { fittedTable, shownTime, WIDE } from '../text-table.js'

interface TimeFlags {
  readonly name: string
  readonly cron: string
  readonly tz: string
}

const HELP = `
The bars and the strategy's code are kept as they are when the schedule is added: a file that changes later does not
change its tasks. A running worker makes them; times that were missed while none ran count once.

Example
  sweepmill schedules add backtest --name nightly --cron "0 6 * * 1-5" --tz Europe/Berlin --data bars.csv --strategy sma-cross`

export function schedulesCommand(invocations: Invocations): Command {
  const add = new Command('add').description('a backtest, a sweep, a sync or a cleanup at the times of a cron expression').addHelpText('after', HELP)
  add.addCommand(invocations.command(timed(addSpecFlags(new Command('backtest').description('a backtest'))),
    async (invocation, flags: SpecFlags & TimeFlags & QueueFlags) => addSchedule(invocation, TaskType.BACKTEST, await backtestSpec(flags), flags)))
  add.addCommand(invocations.command(timed(addSweepFlags(new Command('sweep').description('a parameter sweep'))),
    async (invocation, flags: SweepFlags & TimeFlags & QueueFlags) => addSchedule(invocation, TaskType.OPTIMIZATION, await sweepSpec(flags), flags)))
  add.addCommand(invocations.command(timed(addSyncFlags(new Command('sync').description('a sync of bars from an exchange'))),
    async (invocation, flags: SyncFlags & TimeFlags & QueueFlags) => addSchedule(invocation, TaskType.DATA_SYNC, await syncSpec(flags), flags)))
  add.addCommand(invocations.command(timed(addCleanupFlags(new Command('cleanup').description('a cleanup'))),
    async (invocation, flags: CleanupFlags & TimeFlags & QueueFlags) => addSchedule(invocation, TaskType.CLEANUP, await cleanupSpec(flags), flags)))
  const named = (verb: string, what: string, run: Steer): Command =>
    invocations.command(new Command(verb).argument('<name>').description(what), (invocation, _flags, [name = '']) => run(invocation, name))
  return new Command('schedules').description('tasks that are made again and again')
    .addCommand(add)
    .addCommand(invocations.command(new Command('list').description('all schedules').option('--wide', WIDE), listSchedules))
    .addCommand(named('remove', 'forget a schedule; its tasks stay', steer('removed', (schedules, name) => schedules.remove(name))))
    .addCommand(named('pause', 'make no task until it is resumed', steer('paused', (schedules, name) => schedules.setEnabled(name, false))))
    .addCommand(named('resume', 'go on at its next time', steer('resumed', (schedules, name) => schedules.setEnabled(name, true))))
}

function timed(command: Command): Command {
  return addQueueFlags(command)
    .requiredOption('--name <name>', 'what to call it')
    .requiredOption('--cron <expression>', 'when: minute, hour, day, month, weekday, such as "0 6 * * 1-5"')
    .option('--tz <zone>', 'time zone of the expression, such as Europe/Berlin', 'UTC')
}

async function addSchedule(invocation: Invocation, taskType: TaskType, data: Spec, flags: TimeFlags & QueueFlags): Promise<void> {
  const request = taskRequest(taskType, data, flags)
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    await workbench.check(request)
    const { schedules } = await workbench.connect('client')
    const added = await schedules.add(flags.name, { cron: flags.cron, timeZone: flags.tz }, request)
    invocation.output.document(added)
    invocation.output.text(`Schedule ${added.name} makes its first task at ${added.next_fire_at}, if a worker runs then.`)
  })
}

async function listSchedules(invocation: Invocation, { wide = false }: { readonly wide?: boolean }): Promise<void> {
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const schedules = await (await workbench.connect('client')).schedules.list()
    output.document({ schedules })
    output.text(schedules.length === 0 ? 'No schedules.' : fittedTable(['name', 'cron', 'zone', 'type', 'next', 'last', 'last task'], schedules.map((one) => row(one, wide)), { drop: ['last task', 'last', 'type', 'zone'], wide }))
  })
}

function row(one: ScheduleView, wide: boolean): (string | null)[] {
  return [one.name, one.cron, one.time_zone, one.task_type, shownTime(one.next_fire_at, wide) ?? 'paused', shownTime(one.last_fire_at, wide), one.last_task_id]
}

type Steer = (invocation: Invocation, name: string) => Promise<void>

function steer(done: string, act: (schedules: Awaited<ReturnType<Workbench['connect']>>['schedules'], name: string) => Promise<void>): Steer {
  return (invocation, name) => invocation.withWorkbench(invocation.config(), async (workbench) => {
    await act((await workbench.connect('client')).schedules, name)
    invocation.output.document({ name, [done]: true })
    invocation.output.text(`Schedule ${name} ${done}.`)
  })
}
