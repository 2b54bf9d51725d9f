/**
 * The command line as a whole: which commands there are, and how a run ends.
 * Parsing never exits the process and never prints an error by itself; `runProgram` returns the code.
 */
import { Command, CommanderError } from 'commander'
import { backtestCommand } from './commands/backtest.js'
import { cleanupCommand } from './commands/cleanup.js'
import { configCommand } from './commands/config.js'
import { demoCommand } from './commands/demo.js'
import { dlqCommand } from './commands/dlq.js'
import { healthCommand } from './commands/health.js'
import { importCommand } from './commands/import.js'
import { migrateCommand } from './commands/migrate.js'
import { queueCommand } from './commands/queue.js'
import { sagasCommand } from './commands/sagas.js'
import { schedulesCommand } from './commands/schedules.js'
import { seriesCommand } from './commands/series.js'
import { strategiesCommand } from './commands/strategies.js'
import { syncCommand } from './commands/sync.js'
import { sweepCommand } from './commands/sweep.js'
import { tasksCommand } from './commands/tasks.js'
import { workerCommand } from './commands/worker.js'
import { Invocations } from './context.js'
import type { CliContext } from './context.js'
import { reportFailure } from './failure.js'
import { PROGRAM_HELP } from './help-text.js'
import { refuseUnknownCommand } from './unknown-command.js'

/** `args` without node and the script. Resolves with the exit code. */
export async function runProgram(args: readonly string[], context: CliContext): Promise<number> {
  // A parse error comes before any action, so whether to answer in JSON is read off the raw arguments.
  const invocations = new Invocations(context, args.includes('--json'))
  const program = buildProgram(invocations, context)
  try {
    refuseUnknownCommand(program, args)
    await program.parseAsync([...args], { from: 'user' })
    return invocations.current.exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    // No command was named: commander has shown the help on standard error.
    if (error instanceof CommanderError && error.code === 'commander.help') {
      invocations.current.output.document({ error: { code: 'USAGE', message: 'Name a command, such as "sweepmill demo".' } })
      return 2
    }
    return reportFailure(error, invocations.current.output, /^(trace|debug)$/i.test(context.env['LOG_LEVEL'] ?? ''))
  }
}

function buildProgram(invocations: Invocations, context: CliContext): Command {
  const program = new Command('sweepmill')
    .description('Backtests and huge parameter sweeps on every core, through Redis and Postgres.')
    .version(context.version)
    .addHelpText('after', PROGRAM_HELP)
  const commands = [
    demoCommand, backtestCommand, sweepCommand, importCommand, syncCommand, seriesCommand, workerCommand, tasksCommand, dlqCommand, sagasCommand, schedulesCommand, strategiesCommand, queueCommand, cleanupCommand, healthCommand, migrateCommand, configCommand,
  ]
  for (const create of commands) program.addCommand(create(invocations))
  forEachCommand(program, (command) => {
    command.exitOverride().showSuggestionAfterError(true).configureOutput({
      writeOut: (text) => { context.stdout.write(text) },
      writeErr: (text) => { context.stderr.write(text) },
      // The error is told once, by reportFailure.
      outputError: () => undefined,
    })
  })
  return program
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command)
  for (const inner of command.commands) forEachCommand(inner, visit)
}
