/** Strategies as an operator sees them: those built in, and those stored with their parameters, versions and code. */
import { SweepmillError } from '../base/errors.js'
import { builtinStrategies, describeStrategy } from '../engine/index.js'
import type { ParamRange } from '../engine/index.js'
import { nearest } from '../engine/specs/nearest.js'
import type { Strategies, StrategiesView, StrategyDetailView, StrategyView } from '../tasks/backend.js'
import type { BarArchive } from '../tasks/bar-archive.js'
import type { StoredStrategy, StrategyBook, StrategyDraft } from '../tasks/strategy-book.js'
import { runStrategy } from './submission.js'
import type { PrepareOptions } from './submission.js'

export interface StrategyOfficeParts {
  readonly book: StrategyBook
  readonly archive: BarArchive
  readonly options: PrepareOptions
}

export class StrategyOffice implements Strategies {
  readonly #parts: StrategyOfficeParts

  constructor(parts: StrategyOfficeParts) {
    this.#parts = parts
  }

  async list(): Promise<StrategiesView> {
    return { built_in: [...builtinStrategies.values()].map(describeStrategy), stored: (await this.#parts.book.list()).map(toView) }
  }

  async add(draft: StrategyDraft): Promise<StrategyView & { readonly created: boolean }> {
    const { stored, created } = await this.#parts.book.add(draft)
    return { ...toView(stored), created }
  }

  async show(idOrName: string): Promise<StrategyDetailView> {
    const all = await this.#parts.book.list()
    const wanted = /^\d+$/.test(idOrName) ? all.find((one) => one.strategyId === Number(idOrName)) : all.find((one) => one.name === idOrName)
    if (wanted === undefined) {
      const builtin = builtinStrategies.get(idOrName)
      if (builtin === undefined) throw unknown(idOrName, all)
      return { strategy_id: null, name: idOrName, strategy: idOrName, version: null, params: {}, source_hash: null, created_at: null, ranges: describeStrategy(builtin).params, versions: [] }
    }
    return { ...toView(wanted), ranges: await this.#ranges(wanted), versions: all.filter((one) => one.name === wanted.name).map(toView) }
  }

  /** Null where they cannot be told: a row that was written by hand may name what is not there. */
  async #ranges({ strategy, sourceHash }: StoredStrategy): Promise<Readonly<Record<string, ParamRange>> | null> {
    const { archive, options } = this.#parts
    if (sourceHash === null) {
      const builtin = builtinStrategies.get(strategy)
      return builtin === undefined ? null : describeStrategy(builtin).params
    }
    const code = await archive.loadSource(sourceHash)
    if (code === null) return null
    return (JSON.parse((await runStrategy(options, 'describe_strategy', {}, code)).json) as { params: Record<string, ParamRange> }).params
  }
}

function unknown(idOrName: string, all: readonly StoredStrategy[]): SweepmillError {
  const names = [...new Set([...builtinStrategies.keys(), ...all.map((one) => one.name)])]
  if (/^\d+$/.test(idOrName)) {
    return new SweepmillError('STRATEGY_UNKNOWN', `No strategy has the id ${idOrName}; "sweepmill strategies list" shows them.`, { details: { strategy_id: Number(idOrName) } })
  }
  const guess = nearest(idOrName, names)
  return new SweepmillError('STRATEGY_UNKNOWN', `No strategy is called "${idOrName}"${guess === undefined ? '.' : `; did you mean "${guess}"?`} Known are ${names.join(', ')}.`, { details: { name: idOrName, known: names } })
}

function toView(stored: StoredStrategy): StrategyView {
  return {
    strategy_id: stored.strategyId, name: stored.name, strategy: stored.strategy, version: stored.version, params: stored.params,
    source_hash: stored.sourceHash, created_at: stored.createdAt,
  }
}
