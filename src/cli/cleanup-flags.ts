/** The flags of a cleanup and the spec they make: one per key, so that what the spec takes and what help promises agree. */
import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { numberOf } from './assignments.js'
import { readSpecFile } from './spec-flags.js'
import type { Spec } from './spec-flags.js'

/** `never` is null in the spec; commander takes a null for no value. */
type Days = number | 'never'

export interface CleanupFlags {
  readonly spec?: string
  readonly dryRun?: boolean
  readonly tasksDays?: Days
  readonly checkpointsDays?: Days
  readonly eventsDays?: Days
  readonly barsDays?: Days
  readonly chunksDays?: Days
  readonly deadLettersDays?: Days
}

export function addCleanupFlags(command: Command): Command {
  return command
    .option('--spec <file>', 'JSON spec; flags override it')
    .option('--tasks-days <days>', 'finished tasks with all that belongs to them (default: 30)', days)
    .option('--dead-letters-days <days>', 'dead letters (default: 90)', days)
    .option('--chunks-days <days>', 'rows of finished sweeps; the best trials and the hash stay (default: 30)', days)
    .option('--checkpoints-days <days>', 'checkpoints of finished tasks (default: 7)', days)
    .option('--events-days <days>', 'history (default: 365)', days)
    .option('--bars-days <days>', 'bars and strategy sources that no task needs (default: 90)', days)
    .option('--dry-run', 'print what would go, and remove nothing')
}

/** Whether the numbers make sense is judged by the one parser of the spec. */
function days(text: string): Days {
  if (text === 'never') return text
  const value = numberOf(text)
  if (value === undefined) throw new InvalidArgumentError('Write a number of days, such as 30 or 0.5, or "never" to keep them for ever.')
  return value
}

export async function cleanupSpec(flags: CleanupFlags): Promise<Spec> {
  const spec = flags.spec === undefined ? {} : await readSpecFile(flags.spec)
  const given: Spec = {
    tasks_days: flags.tasksDays, dead_letters_days: flags.deadLettersDays, chunks_days: flags.chunksDays, checkpoints_days: flags.checkpointsDays,
    events_days: flags.eventsDays, bars_days: flags.barsDays, dry_run: flags.dryRun,
  }
  for (const [key, value] of Object.entries(given)) if (value !== undefined) spec[key] = value === 'never' ? null : value
  return spec
}
