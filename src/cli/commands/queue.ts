/** `sweepmill queue stats`: what waits, what is in hand, who works. */
import { Command } from 'commander'
import { PRIORITIES } from '../../tasks/task.js'
import type { Invocation, Invocations } from '../context.js'
import { formatDuration, textPairs, textTable } from '../text-table.js'

export function queueCommand(invocations: Invocations): Command {
  return new Command('queue').description('the state of the queue')
    .addCommand(invocations.command(new Command('stats').description('depths, dead letters and workers'), queueStats))
}

async function queueStats(invocation: Invocation): Promise<void> {
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const stats = await (await workbench.connect('client')).queueStats()
    output.document(stats)
    const { priorities, workers } = stats
    output.text([
      textTable(['priority', 'waiting', 'in flight'], PRIORITIES.map((name) => [name, priorities[name].waiting, priorities[name].in_flight])),
      '',
      textPairs([['delayed', stats.delayed], ['dead letters', stats.dead_letters]], ''),
      '',
      workers.length === 0 ? 'No workers.' : textTable(['worker', 'role', 'host', 'pid', 'threads', 'silent for'],
        workers.map((worker) => [worker.worker_name, worker.role, worker.host, String(worker.pid), worker.threads, formatDuration(worker.silent_ms)])),
    ].join('\n'))
  })
}
