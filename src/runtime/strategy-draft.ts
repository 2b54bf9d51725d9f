/** From what somebody wants to store as a strategy to a draft that is checked: everything that needs threads, and no service. */
import { SweepmillError } from '../base/errors.js'
import { jsonObject } from '../base/json-value.js'
import { builtinStrategies } from '../engine/index.js'
import type { StrategyRequest } from '../tasks/backend.js'
import type { StrategyDraft } from '../tasks/strategy-book.js'
import { run, runStrategy, strategyFile } from './submission.js'
import type { PrepareOptions } from './submission.js'

/** As a strategy's own name; one of digits alone would read like an id. */
const NAME = /^(?!\d+$)[A-Za-z0-9][A-Za-z0-9._ -]{0,99}$/

/** Throws STRATEGY_UNKNOWN, STRATEGY_INVALID, FILE_NOT_FOUND, PARAM_INVALID, or SPEC_INVALID for the name. */
export async function draftStrategy({ strategy, params, name: given }: StrategyRequest, options: PrepareOptions): Promise<StrategyDraft> {
  if (given !== undefined) checkName(given, strategy)
  if (params !== undefined) jsonObject(params, 'params', 'refuse')
  const file = strategyFile(strategy, { roots: null }, options.strategyDir)
  const reply = file === null ? await run(options, 'describe_strategy', { name: strategy, params }) : await runStrategy(options, 'describe_strategy', { file, params }, null)
  const described = JSON.parse(reply.json) as { name: string; checked: Record<string, number>; source_hash?: string }
  const name = given ?? described.name
  if (file === null) return { name, strategy: described.name, params: described.checked, source: null }
  checkName(name, null)
  const code = reply.bytes['code']
  if (code === undefined || described.source_hash === undefined) throw new SweepmillError('INVARIANT', 'The step describe_strategy returned no code.')
  return { name, strategy: described.name, params: described.checked, source: { hash: described.source_hash, name: described.name, code } }
}

/** A built-in's name means the built-in: only it may be stored under that. */
function checkName(name: string, builtin: string | null): void {
  if (!NAME.test(name)) {
    throw new SweepmillError('SPEC_INVALID', `"${name}" cannot name a strategy: write 1 to 100 letters, digits, dots, dashes, spaces or underscores, not digits alone.`, { details: { path: 'name', name } })
  }
  if (name !== builtin && builtinStrategies.has(name)) {
    throw new SweepmillError('SPEC_INVALID', `"${name}" is a strategy that is built in; store yours under another name, with --name.`, { details: { path: 'name', name } })
  }
}
