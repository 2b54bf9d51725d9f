/** `sweepmill strategies list|add|show|check`: strategies that are built in, those stored with their parameters under a number, and what is wrong with one. */
import { Command } from 'commander'
import type { ParamRange, StrategyCheck } from '../../engine/index.js'
import type { StrategyFileView } from '../../runtime/strategy-files.js'
import type { StrategiesView, StrategyDetailView, StrategyView } from '../../tasks/backend.js'
import { parseSettings } from '../assignments.js'
import type { Invocation, Invocations } from '../context.js'
import { STRATEGIES_HELP } from '../help-text.js'
import { addReadingFlags, readingOf } from '../reading-flags.js'
import type { ReadingFlags } from '../reading-flags.js'
import { repeated } from '../spec-flags.js'
import { fittedTable, shownHash, shownTime, textPairs, textTable, WIDE } from '../text-table.js'

interface AddFlags {
  readonly set?: readonly string[]
  readonly name?: string
}

interface CheckFlags extends ReadingFlags {
  readonly data: readonly string[]
  readonly set?: readonly string[]
}

export function strategiesCommand(invocations: Invocations): Command {
  const add = new Command('add').argument('<name|file>', 'a built-in strategy, or a file such as ./mine.ts')
    .description('store a strategy with its parameters; a file\'s code is kept too. The same again is the same id, other content the next version')
    .option('--set <name=value>', 'a parameter; those left out have their defaults (repeatable)', repeated)
    .option('--name <name>', 'what to store it as (default: as it calls itself)')
  const check = addReadingFlags(new Command('check')).argument('<name|file>', 'a built-in strategy, or a file such as ./mine.ts')
    .description('look for decisions that depend on later bars, on chance or on earlier runs; exit 0 if there are none, else 2. Needs no Redis and no Postgres')
    .requiredOption('--data <file>', 'file of bars to run it on; one for each symbol of a strategy that looks at several together (repeatable)', repeated)
    .option('--set <name=value>', 'a parameter; those left out have their defaults (repeatable)', repeated)
  return new Command('strategies').description('list, add, show or check strategies').addHelpText('after', STRATEGIES_HELP)
    .addCommand(invocations.command(new Command('list').description('built-in ones with the ranges of their parameters, those of STRATEGY_DIR, and stored ones').option('--wide', WIDE), listStrategies))
    .addCommand(invocations.command(add, addStrategy))
    .addCommand(invocations.command(new Command('show').argument('<id|name>').description('one strategy: parameters, ranges, versions, code').option('--wide', WIDE), showStrategy))
    .addCommand(invocations.command(check, checkStrategy))
}

async function checkStrategy(invocation: Invocation, flags: CheckFlags, [strategy = '']: readonly string[]): Promise<void> {
  const { output } = invocation
  const reading = readingOf(flags)
  const request = { strategy, params: parseSettings(flags.set ?? []), files: flags.data, ...(reading === undefined ? {} : { reading }) }
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const report = await workbench.checkStrategy(request)
    output.document(report)
    output.text(checkText(report))
    if (!report.passed) invocation.exitCode = 2
  })
}

/** What passed, then remarks, and last the first failure: it names bar and mask. */
function checkText({ strategy, params, bars, checks, passed, warnings }: StrategyCheck): string {
  const failed = checks.filter((one) => one.passed === false)
  const others = checks.filter((one) => one.passed !== false)
  return [
    `Check of ${strategy ?? 'the strategy'} (${paramsText(params)}) on ${bars} bars`,
    ...others.map((one) => `  ${one.passed === true ? 'ok     ' : 'skipped'} ${one.message}`), ...warnings.map((text) => `  note    ${text}`),
    ...(passed ? ['All checks passed.'] : failed.slice(1).map((one) => `  FAILED  ${one.message}`)), ...failed.slice(0, 1).map((one) => `FAILED ${one.message}`),
  ].join('\n')
}

async function listStrategies(invocation: Invocation, { wide = false }: { readonly wide?: boolean }): Promise<void> {
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const files = await workbench.strategyFiles()
    const view = await (await workbench.connect('client')).strategies.list()
    output.document({ ...view, files })
    output.text(`${builtInTable(view)}\n\n${files.length === 0 ? '' : `${filesTable(files)}\n\n`}${view.stored.length === 0 ? 'None is stored; "sweepmill strategies add" does.' : storedTable(view.stored, wide)}`)
  })
}

async function addStrategy(invocation: Invocation, flags: AddFlags, [strategy = '']: readonly string[]): Promise<void> {
  const request = { strategy, params: parseSettings(flags.set ?? []), name: flags.name }
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const draft = await workbench.draftStrategy(request)
    const added = await (await workbench.connect('client')).strategies.add(draft)
    output.document(added)
    output.text(`${added.created ? 'Stored' : 'Already stored'} as strategy ${added.strategy_id}: ${added.name}, version ${added.version} (${paramsText(added.params)}).`)
  })
}

async function showStrategy(invocation: Invocation, { wide = false }: { readonly wide?: boolean }, [idOrName = '']: readonly string[]): Promise<void> {
  const { output } = invocation
  await invocation.withWorkbench(invocation.config(), async (workbench) => {
    const shown = await (await workbench.connect('client')).strategies.show(idOrName)
    output.document(shown)
    output.text(describe(shown, wide))
  })
}

function describe(shown: StrategyDetailView, wide: boolean): string {
  const stored = shown.strategy_id !== null
  const names = [...new Set([...Object.keys(shown.ranges ?? {}), ...Object.keys(shown.params)])]
  return [
    stored ? `Strategy ${shown.strategy_id}: ${shown.name}, version ${shown.version}` : `Strategy ${shown.name}, built in`,
    ...(stored ? [textPairs([['made of', shown.strategy], ['code', shown.source_hash ?? 'built in'], ['created', shown.created_at]])] : []),
    ...(names.length === 0 ? ['  no parameters'] : ['', textTable(['parameter', ...(stored ? ['value'] : []), 'min', 'max', 'step', 'default'],
      names.map((name) => {
        const { min, max, step, default: preset } = shown.ranges?.[name] ?? {} as Partial<ParamRange>
        return [name, ...(stored ? [shown.params[name]] : []), min, max, step, preset]
      }), '  ')]),
    ...(shown.versions.length > 1 ? ['', storedTable(shown.versions, wide)] : []),
  ].join('\n')
}

function builtInTable({ built_in: builtIn }: StrategiesView): string {
  return textTable(['built in', 'parameters'], builtIn.map(({ name, params }) => [name, rangesText(params)]))
}

function filesTable(files: readonly StrategyFileView[]): string {
  return textTable(['in STRATEGY_DIR', 'parameters'], files.map(({ name, params, error }) => [name, params === null ? `cannot be loaded: ${error}` : rangesText(params)]))
}

function rangesText(params: Readonly<Record<string, ParamRange>>): string {
  return Object.entries(params).map(([param, { min, max, step, default: preset }]) => `${param} ${min} to ${max} by ${step ?? 1}, default ${preset}`).join('; ') || 'none'
}

function storedTable(stored: readonly StrategyView[], wide: boolean): string {
  return fittedTable(['id', 'name', 'version', 'made of', 'parameters', 'code', 'created'],
    stored.map((one) => [one.strategy_id, one.name, one.version, one.strategy, paramsText(one.params), one.source_hash === null ? null : shownHash(one.source_hash, wide), shownTime(one.created_at, wide)]),
    { drop: ['created', 'code', 'made of'], wide })
}

function paramsText(params: Readonly<Record<string, number>>): string {
  return Object.entries(params).map(([name, value]) => `${name} ${value}`).join(', ') || 'no parameters'
}
