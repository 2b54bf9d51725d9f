/** `sweepmill queue stats|pause|resume`: what waits, what is in hand, who works; and which priorities are picked. */
import { Argument, Command } from 'commander'
import { SweepmillError } from '../../base/errors.js'
import { PRIORITIES } from '../../tasks/task.js'
import type { TaskPriority } from '../../tasks/task.js'
import type { Invocation, Invocations } from '../context.js'
import { fittedTable, formatDuration, textPairs, textTable, WIDE } from '../text-table.js'

export function queueCommand(invocations: Invocations): Command {
  return new Command('queue').description('the state of the queue; pause and resume priorities')
    .addCommand(invocations.command(new Command('stats').description('depths, dead letters and workers').option('--wide', WIDE), queueStats))
    .addCommand(invocations.command(onPriority('pause', 'let no worker pick a priority; what runs goes on'),
      (invocation, flags: SteerFlags, priorities) => steer(invocation, 'pause', flags, priorities)))
    .addCommand(invocations.command(onPriority('resume', 'let workers pick a priority again'),
      (invocation, flags: SteerFlags, priorities) => steer(invocation, 'resume', flags, priorities)))
}

function onPriority(verb: string, description: string): Command {
  return new Command(verb).description(description).addArgument(new Argument('[priorities...]', 'which ones').choices([...PRIORITIES, 'all']))
    .option('--all', 'every priority')
}

interface SteerFlags {
  readonly all?: boolean
}

/** A whole queue is not stopped by a name that was forgotten. */
async function steer(invocation: Invocation, verb: 'pause' | 'resume', { all }: SteerFlags, given: readonly string[]): Promise<void> {
  if (all !== true && given.length === 0) {
    throw new SweepmillError('USAGE', `Say which priority to ${verb}: ${PRIORITIES.join(', ')}, or --all.`, { details: { known: PRIORITIES } })
  }
  const chosen: readonly TaskPriority[] = PRIORITIES.filter((one) => all === true || given.includes('all') || given.includes(one))
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const paused = await (await workbench.connect('client')).pauses[verb](chosen)
    invocation.output.document({ paused })
    invocation.output.text(paused.length === 0 ? 'Nothing is paused.' : `Paused: ${paused.join(', ')}. "sweepmill queue resume ${paused.length === PRIORITIES.length ? '--all' : paused.join(' ')}" ends it.`)
  })
}

async function queueStats(invocation: Invocation, { wide = false }: { readonly wide?: boolean }): Promise<void> {
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const stats = await (await workbench.connect('client')).queueStats()
    output.document(stats)
    const { priorities, workers } = stats
    output.text([
      textTable(['priority', 'waiting', 'in flight', 'picked'],
        PRIORITIES.map((name) => [name, priorities[name].waiting, priorities[name].in_flight, priorities[name].paused ? 'paused' : 'yes'])),
      '',
      textPairs([['delayed', stats.delayed], ['dead letters', stats.dead_letters]], ''),
      '',
      workers.length === 0 ? 'No workers.' : fittedTable(['worker', 'role', 'host', 'pid', 'threads', 'silent for'],
        workers.map((worker) => [worker.worker_name, worker.role, worker.host, String(worker.pid), worker.threads, formatDuration(worker.silent_ms)]),
        { drop: ['host', 'pid', 'role'], wide }),
    ].join('\n'))
  })
}
