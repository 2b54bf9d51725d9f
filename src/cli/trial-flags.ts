/** The flags by which a backtest is a trial of a finished sweep, run in full. */
import type { Command } from 'commander'
import { SweepmillError } from '../base/errors.js'
import { wholeNumber } from './spec-flags.js'
import type { Spec } from './spec-flags.js'

export interface TrialFlags {
  readonly fromSweep?: string
  readonly trial?: number
  readonly rank?: number
}

export function addTrialFlags(command: Command): Command {
  return command
    .option('--from-sweep <id>', 'repeat a trial of this sweep in full: its bars, strategy and execution; with a holdout on the bars in sample')
    .option('--trial <number>', 'with --from-sweep: the number of the trial', wholeNumber)
    .option('--rank <place>', 'with --from-sweep: its place among the best, 1 for the best', wholeNumber)
}

/** What may stand beside a trial: where its files go, and how the task is queued. All else the trial has of its own. */
const BESIDE: ReadonlySet<string> = new Set([
  'fromSweep', 'trial', 'rank', 'trades', 'equity', 'report', 'json', 'detach', 'delay', 'at', 'deadline', 'priority', 'timeout', 'name', 'tag',
])

/** Null where no trial is named. Throws USAGE. */
export function trialSpec(flags: TrialFlags): Spec | null {
  const { fromSweep, trial, rank } = flags
  if (fromSweep === undefined) {
    const flag = trial !== undefined ? '--trial' : rank !== undefined ? '--rank' : null
    if (flag === null) return null
    throw new SweepmillError('USAGE', `${flag} names a trial of a sweep: write --from-sweep ID too.`, { details: { flag } })
  }
  const own = Object.keys(flags).find((key) => !BESIDE.has(key))
  if (own !== undefined) {
    const flag = `--${own.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    throw new SweepmillError('USAGE', `${flag} has no place beside --from-sweep: the trial brings its own bars, strategy and execution. Leave it out.`, { details: { flag } })
  }
  if ((trial === undefined) === (rank === undefined)) {
    throw new SweepmillError('USAGE', '--from-sweep needs one of --trial NUMBER and --rank PLACE (1 is the best).', { details: { flag: '--trial' } })
  }
  return { from_sweep: fromSweep, ...(trial === undefined ? { rank } : { trial }) }
}
