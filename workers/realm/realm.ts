/**
 * The inside of a realm: the engine, and the jobs that run a user's strategy with it. All of this file, and what it imports, is
 * bundled into one script (bundle.ts) that is run in a context of its own, so that whatever a strategy can reach or break
 * belongs to its realm. What a strategy may have broken cannot be relied on here either: the thread checks all that comes out.
 */
import { SweepmillError } from '../../src/base/errors.js'
import * as engine from '../../src/engine/index.js'
import type { Strategy } from '../../src/engine/index.js'
import type { ColumnName, FrameHeader } from '../../src/market/layout.js'
import type { JobBars, JobCall, JobResult } from '../jobs/job.js'
import { JOBS } from '../jobs/jobs.js'
import type { JobName } from '../jobs/jobs.js'
import { SweepRunners } from '../jobs/sweep-runners.js'
import { bendAmbient } from './bent-ambient.js'
import { furnish } from './environment.js'
import type { Answer, OutsideCalls, RealmApi } from './realm-api.js'
import { failureOf, textOf } from './words.js'

/** Of one strategy at a time; each has up to DEFAULT_CACHE_BYTES of columns. */
const KEPT_RUNNERS = 2
const LONGEST_STACK = 20_000

type Module = (engineForStrategy: typeof engine) => { readonly default?: unknown }

/** What it is given are functions of the thread, and the realm has no other object of it. */
export function boot(beat: OutsideCalls['beat'], sha256: OutsideCalls['sha256'], nowMs: OutsideCalls['nowMs'], place: OutsideCalls['place'],
  print: OutsideCalls['print'], random32: OutsideCalls['random32'], engineVersion: string): RealmApi {
  const { stringify, parse } = JSON
  // An error of the thread, such as one for a full stack, must not come in here either.
  const calling = <T>(call: () => T, otherwise: T): T => {
    try {
      return call()
    } catch {
      return otherwise
    }
  }
  const now = (): number => calling(() => nowMs(), 0)
  const placeOf = (thrown: unknown): string => calling(() => {
    const { stack } = thrown as { stack?: unknown }
    return typeof stack === 'string' ? place(stack.slice(0, LONGEST_STACK)) : ''
  }, '')
  furnish({ nowMs: now, print: (text) => { calling(() => { print(text) }, undefined) }, random32: () => calling(() => random32(), 0) })

  const frames = new Map<string, JobBars>()
  const runners = new SweepRunners(KEPT_RUNNERS, true)
  let module: Module = () => ({})
  let strategy: Strategy | null = null
  let last: JobResult = { json: null }

  const copy = (): Strategy => {
    let made: ReturnType<Module>
    try {
      made = module(engine)
    } catch (thrown) {
      const where = placeOf(thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown)
      throw invalid(`The strategy file fails while it loads: ${textOf(thrown)}${where}`)
    }
    return strategyOf(made)
  }
  const call = (job: string, input: string, spec: string, hashes: string): JobCall => {
    const byName = parse(hashes) as Readonly<Record<string, string>>
    const made = {
      input: parse(input) as Readonly<Record<string, unknown>>, specText: spec, copy,
      bars: (name = 'bars'): JobBars => {
        const found = frames.get(byName[name] ?? '')
        if (found === undefined) throw new Error(`There are no bars ${name} in this realm.`)
        return found
      },
      strategy: (): Strategy => {
        if (strategy === null) throw new Error('The strategy is not loaded.')
        return strategy
      },
      ambient: job === 'check' ? bendAmbient() : null,
      pulse: { beat: (done: number, total: number) => calling(() => beat(done, total), true) },
      surroundings: { engineVersion, sha256: (text: string) => calling(() => sha256(text), ''), nowMs: now, placeOf },
    }
    return { ...made, prepared: () => runners.prepared(made) }
  }
  return {
    allocate: (byteLength) => new ArrayBuffer(byteLength),
    attach: (dataHash, header, dataAt, buffer) => { frames.set(dataHash, barsOf(parse(header) as FrameHeader, dataAt, buffer)) },
    forget: (dataHash) => {
      frames.delete(dataHash)
      runners.forget(dataHash)
    },
    take: (made) => { module = made as Module },
    load: () => {
      try {
        strategy = copy()
        return ''
      } catch (thrown) {
        return stringify({ failure: failureOf(thrown, placeOf) } satisfies Answer)
      }
    },
    perform: (job, input, spec, hashes) => {
      last = { json: null }
      try {
        last = JOBS[job as JobName](call(job, input, spec, hashes))
        const { json, texts = {}, bytes = {} } = last
        return stringify({ json, texts: Object.keys(texts), bytes: Object.keys(bytes) } satisfies Answer)
      } catch (thrown) {
        return stringify({ failure: failureOf(thrown, placeOf) } satisfies Answer)
      }
    },
    text: (name) => last.texts?.[name],
    bytes: (name) => last.bytes?.[name],
    textOf: (thrown) => `${textOf(thrown)}${placeOf(thrown)}`,
  }
}

function strategyOf(module: { readonly default?: unknown }): Strategy {
  const { default: exported } = module
  if (exported === undefined) throw invalid('The strategy file has no default export. End it with `export default defineStrategy({ … })`.')
  if (typeof exported !== 'object' || typeof (exported as { name?: unknown } | null)?.name !== 'string') {
    throw invalid('The default export of the strategy file is no strategy: it has no name. End the file with `export default defineStrategy({ name: …, params: …, signals … })`.')
  }
  return engine.defineStrategy(exported as Parameters<typeof engine.defineStrategy>[0])
}

function invalid(message: string): SweepmillError {
  return new SweepmillError('STRATEGY_INVALID', message)
}

function barsOf({ length, hash, meta, columns }: FrameHeader, dataAt: number, buffer: ArrayBuffer): JobBars {
  const views: Partial<Record<ColumnName, Float64Array>> = {}
  columns.forEach((name, i) => { views[name] = new Float64Array(buffer, dataAt + i * length * 8, length) })
  return { ...(views as Required<typeof views>), length, hash, meta }
}
