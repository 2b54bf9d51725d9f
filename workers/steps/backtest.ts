/** Strategies and single backtests. */
import { keptArtifacts } from '../artifact-limit.js'
import { perform } from '../perform.js'
import type { Step } from '../step.js'
import { shellOf } from '../strategy-shell.js'
import { compiledFile, hashSource } from '../strategy-source.js'

/** {name} of a built-in strategy, {file} of the user's, or payload code of a stored one → its description, the compiled code of a file, and {params} checked and filled in. */
export const describe: Step = async (context) => {
  const { file, ...input } = context.input as { readonly file?: string }
  const code = file === undefined ? undefined : await compiledFile(file)
  const { json } = await perform(code === undefined ? context : { ...context, bytes: { code } }, 'describe', input)
  shellOf(json)
  return code === undefined ? { json } : { json: { ...json as object, source_hash: hashSource(code) }, bytes: { code } }
}

/** {spec} → {spec_hash}; refuses parameters that the strategy does not take, and dates that leave no bars. */
export const checkBacktest: Step = (context) => perform(context, 'check_backtest')

/** {spec} and bars → nothing: runs the strategy once, so that one that throws is refused before it becomes a task. */
export const tryBacktest: Step = (context) => perform(context, 'try_backtest')

/** {spec} and bars → the result, and trades and equity as bytes. */
export const backtest: Step = async (context) => {
  const { json, bytes: { trades, equity } = {} } = await perform(context, 'backtest')
  const kept = keptArtifacts({ ...(trades === undefined ? {} : { trades }), ...(equity === undefined ? {} : { equity }) })
  return { json: withWarnings(json, kept.warnings), bytes: kept.bytes }
}

/** The result of a backtest with more to warn of. */
export function withWarnings(result: unknown, more: readonly string[]): Readonly<Record<string, unknown>> {
  const summary = result as Readonly<Record<string, unknown>>
  return { ...summary, warnings: [...warningsOf(summary), ...more] }
}

export function warningsOf(result: Readonly<Record<string, unknown>>): readonly string[] {
  const { warnings } = result
  return Array.isArray(warnings) ? warnings.map(String) : []
}

export function equityColumns(bytes: Uint8Array): { time: Float64Array; equity: Float64Array } {
  const pairs = new Float64Array(new Uint8Array(bytes).buffer)
  const length = pairs.length >> 1
  const time = new Float64Array(length)
  const equity = new Float64Array(length)
  for (let i = 0; i < length; i += 1) {
    time[i] = pairs[2 * i]!
    equity[i] = pairs[2 * i + 1]!
  }
  return { time, equity }
}
