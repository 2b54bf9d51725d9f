/**
 * What every command is given: the environment, the streams, the clock, and the way to the runtime.
 * Nothing below src/cli/main.ts reaches for the process itself, so a test can run any command.
 */
import type { Command } from 'commander'
import type { Clock } from '../base/clock.js'
import type { ByteSink } from '../base/table-format.js'
import { nearMisses } from '../runtime/config-names.js'
import { loadConfig, VARIABLES } from '../runtime/config.js'
import type { Environment } from '../runtime/config-names.js'
import type { Config } from '../runtime/config.js'
import { createLogger } from '../telemetry/logger.js'
import type { Logger } from '../telemetry/logger.js'
import { Metrics } from '../telemetry/registry.js'
import { Output } from './output.js'
import type { TextStream } from './output.js'
import type { OpenWorkbench, Workbench } from './session.js'

export interface CliContext {
  readonly env: Environment
  readonly stdout: TextStream
  readonly stderr: TextStream
  /** Bytes for standard output. Absent: they go there as text. */
  readonly writeStdout?: ByteSink
  readonly clock: Clock
  readonly version: string
  readonly openWorkbench: OpenWorkbench
}

/** One command's run: its output, its configuration once that is needed, and its exit code. */
export class Invocation {
  readonly context: CliContext
  readonly output: Output
  exitCode = 0

  constructor(context: CliContext, json: boolean) {
    this.context = context
    this.output = new Output(context, json)
  }

  /** Throws CONFIG_INVALID or CONFIG_UNKNOWN: always before anything is started. */
  config(): Config {
    const config = loadConfig(this.context.env)
    for (const sentence of nearMisses(this.context.env, Object.keys(VARIABLES))) this.output.note(`sweepmill: ${sentence}`)
    return config
  }

  /** Commands that end soon tell their failures themselves and log nothing less, unless LOG_LEVEL says otherwise; the daemon logs what it does. */
  logger(config: Config, daemon = false): Logger {
    const level = daemon || config.sources.LOG_LEVEL === 'environment' ? config.logLevel : 'error'
    return createLogger({ level, workerName: config.workerName, sync: !daemon })
  }

  /** Opens the runtime for `use` and closes it whatever happens. `stopServices`: leave no embedded service behind. */
  async withWorkbench<T>(config: Config, use: (workbench: Workbench) => Promise<T>, stopServices = false): Promise<T> {
    const workbench = await this.context.openWorkbench({
      config, log: this.logger(config), metrics: new Metrics(this.context.version),
      note: (line) => { this.output.note(`sweepmill: ${line}`) },
    })
    try {
      return await use(workbench)
    } finally {
      await workbench.close(stopServices)
    }
  }
}

/** A command whose action gets an `Invocation`; the caller of the program finds the last one here. */
export class Invocations {
  readonly #context: CliContext
  #current: Invocation

  constructor(context: CliContext, json: boolean) {
    this.#context = context
    this.#current = new Invocation(context, json)
  }

  get current(): Invocation { return this.#current }

  /** Adds `--json` and the action. Each command declares the type of its own `flags` (hence never); `args` are the positional ones. */
  command(command: Command, run: (invocation: Invocation, flags: never, args: readonly string[]) => Promise<void>): Command {
    return command
      .option('--json', 'one JSON document on standard output, nothing else there')
      .action(async (...given: unknown[]) => {
        const own = given.at(-1) as Command
        this.#current = new Invocation(this.#context, own.opts<{ json?: boolean }>().json === true)
        await run(this.#current, own.opts<never>(), own.args)
      })
  }
}
