/** The strategies of STRATEGY_DIR: each file is loaded in a pool thread, so that the list shows what it takes, or what is wrong with it. */
import { readdirSync } from 'node:fs'
import { extname, basename, join } from 'node:path'
import { toSweepmillError } from '../base/errors.js'
import { builtinStrategies } from '../engine/index.js'
import type { ParamRange } from '../engine/index.js'
import { runStrategy, STRATEGY_ENDINGS, strategyFile } from './submission.js'
import type { PrepareOptions } from './submission.js'

export interface StrategyFileView {
  /** What `--strategy` takes. */
  readonly name: string
  readonly file: string
  /** Null when the file does not load. */
  readonly params: Readonly<Record<string, ParamRange>> | null
  readonly error: string | null
}

/** In the order of their names; empty without STRATEGY_DIR. A file under a built-in's name is left out: the name means that one. */
export async function strategyFiles(options: PrepareOptions): Promise<StrategyFileView[]> {
  const { strategyDir } = options
  if (strategyDir === null) return []
  const files = readdirSync(strategyDir).filter((file) => STRATEGY_ENDINGS.includes(extname(file)) && !file.endsWith('.d.ts')).sort((a, b) => (a < b ? -1 : 1))
  const views: StrategyFileView[] = []
  for (const file of files) {
    const name = basename(file, extname(file))
    const path = join(strategyDir, file)
    // Of two files with one name the one that the name stands for.
    if (builtinStrategies.has(name) || strategyFile(name, { roots: null }, strategyDir) !== path) continue
    const described = await runStrategy(options, 'describe_strategy', { file: path }, null).then((reply) => JSON.parse(reply.json) as { params: Record<string, ParamRange> }, toSweepmillError)
    views.push('params' in described ? { name, file: path, params: described.params, error: null } : { name, file: path, params: null, error: described.message })
  }
  return views
}
