/** The spec of a job: parsed, with the hash that results carry. */
import { hashInput, parseBacktestSpec, parseSweepSpec } from '../../src/engine/index.js'
import type { BacktestSpec, SweepSpec } from '../../src/engine/index.js'
import type { JobCall } from './job.js'

export function backtestSpec({ specText }: Pick<JobCall, 'specText'>): BacktestSpec {
  return parseBacktestSpec(JSON.parse(specText))
}

export function sweepSpec({ specText }: Pick<JobCall, 'specText'>): SweepSpec {
  return parseSweepSpec(JSON.parse(specText))
}

export function specHash({ surroundings }: JobCall, spec: BacktestSpec | SweepSpec): string {
  return surroundings.sha256(hashInput(spec))
}
