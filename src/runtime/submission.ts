/**
 * From a spec as it came in to a task that was accepted.
 *
 * `prepare` validates everything and needs only threads: the file is parsed, the strategy compiled and its
 * parameters and constraint checked there, so bad input is refused before any service is asked. `accept` stores
 * what the task needs by content hash (any worker on any host can then run it) and hands the task to the queue.
 */
import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import { existsSync } from 'node:fs'
import type { Clock } from '../base/clock.js'
import { engineVersion } from '../base/engine-version.js'
import { hasCode, SweepmillError } from '../base/errors.js'
import { jsonObject } from '../base/json-value.js'
import { builtinStrategies, parseBacktestSpec, parseSweepSpec, specToJson } from '../engine/index.js'
import type { BarArchive } from '../tasks/bar-archive.js'
import type { BarSeriesStore } from '../tasks/bar-series.js'
import type { BarStore } from '../tasks/bar-store.js'
import type { ComputePool, ComputeReply } from '../tasks/compute-pool.js'
import type { Submitted, SubmitRequest } from '../tasks/backend.js'
import type { TaskDesk } from '../tasks/task-store.js'
import type { StrategyBook, StrategySource } from '../tasks/strategy-book.js'
import { TaskType } from '../tasks/task.js'
import { EXCHANGE_OFFERS } from '../exchange/exchanges.js'
import { parseDataSyncSpec } from '../workflows/data-sync-spec.js'
import { parseCleanupSpec } from '../workflows/cleanup-spec.js'
import { admittedBars } from './bar-source.js'
import { CallerPool } from './caller-pool.js'
import { findFile, isStrategyFile } from './data-files.js'
import { IntakeRoom } from './intake-room.js'
import type { IntakePlace } from './intake-room.js'
import type { ParsedBars } from './parsed-bars.js'
import type { Publisher } from './publisher.js'
import { checkInParts } from './sweep-check.js'
import { namesTrial, trialTask } from './trial-request.js'
import type { TrialParts } from './trial-request.js'

export interface Prepared {
  readonly request: SubmitRequest
  /** Canonical spec with all defaults, pinned by data_hash and strategy_hash where it names bars and a strategy. */
  readonly data: Readonly<Record<string, unknown>>
  /** Null for a task whose spec stands for itself. */
  readonly bars: ParsedBars | null
  readonly source: StrategySource | null
  /** Equal unfinished work under this key is attached to; null: never. */
  readonly attachKey: string | null
  /** Its room among the submissions, until it is accepted or given up; absent where nothing was read. */
  readonly place?: IntakePlace
  /** What a reader may want to know before the task runs. */
  readonly warnings: readonly string[]
}

export interface PrepareOptions {
  readonly pool: ComputePool
  readonly clock: Clock
  readonly strategyDir: string | null
  /** Needed only for a spec that names `strategy_id`. */
  readonly strategies?: StrategyBook
  readonly archive?: BarArchive
  /** Needed only for a spec that names `symbol`. */
  readonly series?: BarSeriesStore
  /** Needed only for a backtest that names a trial of a sweep. */
  readonly trials?: TrialParts
  /** Absent: there is room for anything. */
  readonly intake?: IntakeRoom
  /** Whoever asked has gone when it aborts. */
  readonly gone?: AbortSignal
}

/** The same for a caller who may go away: nothing of it is computed for nobody. */
export function optionsFor(options: PrepareOptions, gone: AbortSignal): PrepareOptions {
  const pool = new CallerPool(options.pool, gone)
  return { ...options, pool, gone, ...(options.trials === undefined ? {} : { trials: { ...options.trials, pool } }) }
}

export const STRATEGY_ENDINGS: readonly string[] = ['.ts', '.mts', '.mjs', '.js']

/** Whatever it is, it is JSON: what could not be stored, or would arrive otherwise, is refused before any work. */
export async function prepare(request: SubmitRequest, options: PrepareOptions): Promise<Prepared> {
  // Only looked at: the order in which parameters and axes were written still matters here.
  jsonObject(request.data, '', 'refuse')
  switch (request.taskType) {
    case TaskType.BACKTEST:
      return namesTrial(request.data) ? prepareTrial(request, options) : prepareRun(request, options)
    case TaskType.OPTIMIZATION:
      return prepareRun(request, options)
    case TaskType.CLEANUP:
      return prepareCleanup(request)
    case TaskType.DATA_SYNC:
      return prepareSync(request)
  }
}

async function prepareCleanup(request: SubmitRequest): Promise<Prepared> {
  return { request, data: parseCleanupSpec(request.data), bars: null, source: null, attachKey: null, warnings: [] }
}

/** Bars and code are in the store already: the sweep's. */
async function prepareTrial(request: SubmitRequest, { trials }: PrepareOptions): Promise<Prepared> {
  if (trials === undefined) throw new SweepmillError('INVARIANT', 'A trial was asked for without the store of sweeps.')
  const { data, warnings, sweepId, trial } = await trialTask(request.data, trials)
  return { request: { ...request, name: request.name ?? `trial ${trial} of sweep ${sweepId}` }, data, bars: null, source: null, attachKey: null, warnings }
}

/** The same sync attaches to the one that is under way: two would fetch the same pages. */
async function prepareSync(request: SubmitRequest): Promise<Prepared> {
  const spec = parseDataSyncSpec(request.data, EXCHANGE_OFFERS)
  const attachKey = createHash('sha256').update(`data_sync ${JSON.stringify(spec)}`).digest('hex')
  return { request, data: { ...spec }, bars: null, source: null, attachKey, warnings: [] }
}

/** Whether the bars of a spec are found only in the store. What is no list is for its parser to refuse. */
export function namesStoredBars({ symbol, symbols, benchmark }: Readonly<Record<string, unknown>>): boolean {
  return symbol !== undefined || typeof benchmark === 'string' || (benchmark as { symbol?: unknown } | null | undefined)?.symbol !== undefined || (Array.isArray(symbols) && symbols.some((one: unknown) => typeof one === 'string' || (one as { file?: unknown } | null)?.file === undefined))
}

/** What can be told wrong of a run before the bar store is there: its spec and its strategy. */
export async function checkWithoutBars(request: SubmitRequest, options: PrepareOptions): Promise<void> {
  const spec = canonical(request, await withFunding(request.data, request, options))
  // A strategy that is named by its number is in the store too.
  if (spec['strategy'] !== undefined) await compileStrategy(spec, request, options)
}

function canonical(request: SubmitRequest, data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return specToJson(request.taskType === TaskType.OPTIMIZATION ? parseSweepSpec(data) : parseBacktestSpec(data))
}

/** `funding: {"file": …}` of the execution becomes the rates in that file: a task must not depend on it. */
async function withFunding(data: Readonly<Record<string, unknown>>, request: SubmitRequest, options: PrepareOptions): Promise<Readonly<Record<string, unknown>>> {
  const execution = data['execution'] as { funding?: { file?: unknown } } | null | undefined
  const file = execution?.funding?.file
  if (typeof file !== 'string') return data
  const reply = await run(options, 'read_funding', { file: findFile(file, request.roots, 'The file of funding rates'), source: basename(file) })
  return { ...data, execution: { ...execution, ...(JSON.parse(reply.json) as { funding: unknown }) } }
}

/** A backtest or a sweep: bars, a strategy, and a spec that is checked on both. */
async function prepareRun(request: SubmitRequest, options: PrepareOptions): Promise<Prepared> {
  const parse = (data: Readonly<Record<string, unknown>>): Record<string, unknown> => canonical(request, data)
  const named = await withStrategyName(await withFunding(request.data, request, options), options)
  let spec = parse(named.data)
  const source = named.source ?? await compileStrategy(spec, request, options)
  if (source !== null) {
    const strategy = spec['strategy'] as Record<string, unknown>
    spec = parse({ ...spec, strategy: { ...strategy, name: source.name }, strategy_hash: source.hash })
  }
  const { bars, place } = await admittedBars(spec, request, options, options.intake ?? new IntakeRoom(Number.POSITIVE_INFINITY, options.clock), options.gone ?? new AbortController().signal)
  try {
    return { ...await prepareOn(bars, spec, source, request, options), place }
  } catch (error) {
    place.leave()
    throw error
  }
}

async function prepareOn(bars: ParsedBars, named: Record<string, unknown>, source: StrategySource | null, request: SubmitRequest, options: PrepareOptions): Promise<Prepared> {
  const pinned = named['data_hash']
  if (typeof pinned === 'string' && pinned !== bars.dataset.dataHash) {
    throw new SweepmillError('SPEC_INVALID', `data_hash is ${pinned}, but ${bars.dataset.source} has ${bars.dataset.dataHash}: the data changed. Leave data_hash out to take it as it is.`)
  }
  const { warnings } = bars.dataset
  const spec = canonical(request, { ...named, ...bars.pinned, data_hash: bars.dataset.dataHash, data_warnings: warnings.length === 0 ? undefined : warnings })
  const isSweep = request.taskType === TaskType.OPTIMIZATION
  const shared = { bars: bars.buffer }
  const check = (input: object): Promise<ComputeReply> => (source === null
    ? run(options, isSweep ? 'check_sweep' : 'check_backtest', input, shared)
    : runStrategy(options, isSweep ? 'check_sweep' : 'check_backtest', input, source.code, shared))
  const { specHash, first } = await checkInParts((part) => check(isSweep ? { spec, ...part } : { spec }), options.clock)
  if (source !== null && (!isSweep || first !== null)) {
    await tryStrategy(options, isSweep ? 'try_sweep' : 'try_backtest', { spec, ...(isSweep ? { first } : {}) }, source.code, shared, request.timeoutSeconds)
  }
  const attachKey = isSweep ? createHash('sha256').update(`${engineVersion} ${specHash} ${bars.dataset.dataHash} ${source?.hash ?? ''}`).digest('hex') : null
  return { request, data: spec, bars, source, attachKey, warnings }
}

/** Loading a strategy and checking its parameters takes milliseconds; one that loops while it loads must not hang its author. */
const STRATEGY_CHECK_MS = 10_000

export function run({ pool }: PrepareOptions, step: string, input: unknown, shared: Record<string, SharedArrayBuffer> = {}): Promise<ComputeReply> {
  return pool.run({ step, input, shared, priority: 'high', divisible: false, userCode: false })
}

/** A step that runs a strategy's own code, given up after a while. `code` is null while it is still a file. */
export async function runStrategy({ pool, clock }: PrepareOptions, step: string, input: unknown, code: Uint8Array | null,
  shared: Record<string, SharedArrayBuffer> = {}, limitMs: number = STRATEGY_CHECK_MS): Promise<ComputeReply> {
  const late = new AbortController()
  const stopTimer = clock.after(limitMs, () => { late.abort() })
  try {
    return await pool.run({ step, input, shared, ...(code === null ? {} : { bytes: { code } }), priority: 'high', divisible: false, userCode: true, signal: late.signal })
  } catch (thrown) {
    if (!late.signal.aborted) throw thrown
    throw new SweepmillError('STRATEGY_TIMEOUT', `The strategy did not answer within ${limitMs / 1000} s. Look for an endless loop in it, and at what it imports.`)
  } finally {
    stopTimer()
  }
}

/**
 * One run of the strategy before there is a task, so that one that throws, or returns masks that cannot be used,
 * leaves nothing behind. A run longer than the check may take is no fault: the task's own timeout decides.
 */
async function tryStrategy(options: PrepareOptions, step: string, input: unknown, code: Uint8Array, shared: Record<string, SharedArrayBuffer>,
  timeoutSeconds: number | undefined): Promise<void> {
  const timeoutMs = (timeoutSeconds ?? Number.POSITIVE_INFINITY) * 1000
  try {
    await runStrategy(options, step, input, code, shared, Math.min(STRATEGY_CHECK_MS, timeoutMs))
  } catch (thrown) {
    if (!hasCode(thrown, 'STRATEGY_TIMEOUT') || timeoutMs <= STRATEGY_CHECK_MS) throw thrown
  }
}

/**
 * Replaces a numeric `strategy_id` by what it stands for: a name, parameters, and the code where it is a user's own, so
 * that its file is not needed any more. A sweep's space goes before the stored parameters.
 */
async function withStrategyName(data: Readonly<Record<string, unknown>>, { strategies, archive }: PrepareOptions): Promise<{
  readonly data: Readonly<Record<string, unknown>>; readonly source: StrategySource | null
}> {
  const { strategy_id: id, ...rest } = data
  if (id === undefined) return { data, source: null }
  if (typeof id !== 'number' || !Number.isSafeInteger(id)) throw new SweepmillError('SPEC_INVALID', `strategy_id must be a whole number, not ${JSON.stringify(id)}.`, { details: { path: 'strategy_id' } })
  if (rest['strategy'] !== undefined) throw new SweepmillError('SPEC_INVALID', 'Name either strategy or strategy_id, not both.', { details: { path: 'strategy_id' } })
  const found = await strategies?.get(id) ?? null
  if (found === null) throw new SweepmillError('STRATEGY_UNKNOWN', `No strategy has the id ${id}; "sweepmill strategies list" shows them.`, { details: { strategy_id: id } })
  const { strategy, sourceHash } = found
  const space = typeof rest['space'] === 'object' && rest['space'] !== null ? rest['space'] : {}
  const params = Object.fromEntries(Object.entries(found.params).filter(([name]) => !Object.hasOwn(space, name)))
  const named = { ...rest, strategy: { name: strategy, params } }
  if (sourceHash === null) return { data: named, source: null }
  const code = await archive?.loadSource(sourceHash) ?? null
  if (code === null) throw new SweepmillError('STRATEGY_UNKNOWN', `The code of strategy ${id} (${found.name}, version ${found.version}) is not in the store any more. Add its file again: "sweepmill strategies add FILE".`, { details: { strategy_id: id, source_hash: sourceHash } })
  return { data: named, source: { hash: sourceHash, name: strategy, code } }
}

async function compileStrategy(spec: Record<string, unknown>, request: SubmitRequest, options: PrepareOptions): Promise<StrategySource | null> {
  const { name } = spec['strategy'] as { name: string }
  const file = strategyFile(name, request, options.strategyDir)
  if (file === null) {
    // Built in, or unknown: the step says which, with the names that are near.
    await run(options, 'describe_strategy', { name })
    return null
  }
  const reply = await runStrategy(options, 'describe_strategy', { file }, null)
  const described = JSON.parse(reply.json) as { name: string; source_hash: string }
  const code = reply.bytes['code']
  if (code === undefined) throw new SweepmillError('INVARIANT', 'The step describe_strategy returned no code.')
  return { hash: described.source_hash, name: described.name, code }
}

/** The file that `name` stands for; null for a built-in strategy, or an unknown one. */
export function strategyFile(name: string, request: Pick<SubmitRequest, 'roots'>, strategyDir: string | null): string | null {
  if (isStrategyFile(name)) {
    // Code is only taken from the command line or from STRATEGY_DIR, never from a data folder named over HTTP.
    return findFile(name, request.roots === null ? null : strategyDir === null ? [] : [strategyDir], 'The strategy file',
      'Over HTTP code is only taken from STRATEGY_DIR of the worker: put it there, or store it with "sweepmill strategies add" and name its strategy_id.')
  }
  if (builtinStrategies.has(name) || strategyDir === null) return null
  for (const ending of STRATEGY_ENDINGS) {
    const path = join(strategyDir, basename(name) + ending)
    if (existsSync(path)) return path
  }
  return null
}

export interface AcceptParts {
  readonly archive: BarArchive
  readonly bars: BarStore
  readonly publisher: Publisher
  readonly desk: TaskDesk
}

/** Stores bars and code by content hash: what any host needs to run the task. */
export async function store({ bars, source }: Prepared, archive: BarArchive): Promise<void> {
  if (bars !== null && !await archive.has(bars.dataset.dataHash)) await archive.save(bars.dataset, bars.blocks)
  if (source !== null) await archive.saveSource(source.hash, source.name, source.code)
}

/** Throws what the queue refuses. In any case the submission leaves its place. */
export async function accept(prepared: Prepared, parts: AcceptParts): Promise<Submitted> {
  try {
    return await acceptOne(prepared, parts)
  } finally {
    prepared.place?.leave()
  }
}

async function acceptOne(prepared: Prepared, parts: AcceptParts): Promise<Submitted> {
  const { request, data, bars, attachKey } = prepared
  await store(prepared, parts.archive)
  if (bars !== null) parts.bars.put(bars.dataset.dataHash, bars.buffer, bars.dataset.bars)

  if (attachKey !== null && request.fresh !== true && request.idempotencyKey === undefined) {
    const unfinished = await parts.desk.findUnfinished(attachKey)
    if (unfinished !== null) return { taskId: unfinished, created: false }
  }
  const [accepted] = await parts.publisher.accept([{
    taskType: request.taskType, data, priority: request.priority, name: request.name, tags: request.tags, userId: request.userId, ipAddress: request.ipAddress,
    timeoutSeconds: request.timeoutSeconds, maxRetries: request.maxRetries, idempotencyKey: request.idempotencyKey,
    notBefore: request.notBefore, deadlineAt: request.deadlineAt, attachKey: request.fresh === true || attachKey === null ? undefined : attachKey,
  }], false)
  if (accepted === undefined) throw new SweepmillError('INVARIANT', 'An accepted task has no id.')
  return accepted
}
