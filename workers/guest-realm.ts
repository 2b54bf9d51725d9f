/**
 * A user's strategy in a realm of its own: a context of V8 with its own built-ins, engine and bars. It is loaded, asked, and in the
 * end thrown away with all that it changed.
 *
 * Nothing of this thread goes in but functions that give numbers and texts (realm-api.ts), and nothing that comes out is looked
 * into but by built-ins of this thread. Bars are a private copy; it is compared with the frame after each job.
 *
 * What the strategy leaves behind runs within its own job: a realm's microtasks run when this thread says so, there are no timers,
 * and a rejection that nobody handled is told a turn of the event loop later, before the job is over.
 */
import { createHash, randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { types } from 'node:util'
import vm from 'node:vm'
import { engineVersion } from '../src/base/engine-version.js'
import { ERRORS, SweepmillError } from '../src/base/errors.js'
import type { ErrorCode } from '../src/base/errors.js'
import type { FrameLayout } from '../src/market/layout.js'
import { guestScript, MODULE_NAME, placeIn } from './guest-module.js'
import { withInertErrors } from './inert-errors.js'
import type { JobResult } from './jobs/job.js'
import type { JobName } from './jobs/jobs.js'
import type { Answer, Failure, RealmApi } from './realm/realm-api.js'
import type { boot } from './realm/realm.js'
import { REALM_SCRIPT } from './realm/realm-script.js'
import { stopped, utf8 } from './step.js'
import type { StepContext } from './step.js'

/** Characters of one text, and bytes of one payload, that a job may give. */
const LONGEST_TEXT = 2 ** 28
const LARGEST_PAYLOAD = 2 ** 30
/** What a strategy may print in one job. */
const PRINTED_CHARACTERS = 2 ** 20

const WROTE = 'The strategy wrote into the columns of its bars, which all trials share. Copy a column before changing it, for example with close.slice().'

/** `%TypedArray%.prototype` of this thread: its getters look into a view of a realm without running anything of it. */
const viewPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object
const getterOf = (name: string): ((this: unknown) => unknown) => Reflect.getOwnPropertyDescriptor(viewPrototype, name)?.get ?? (() => undefined)
const bufferOf = getterOf('buffer')
const offsetOf = getterOf('byteOffset')
const lengthOf = getterOf('byteLength')

const drain = new vm.Script('0', { filename: 'sweepmill-drain' })
let realmScript: vm.Script | null = null

/** Of the realm whose code runs, or ran in this turn of the event loop. */
let leave: ((reason: unknown) => void) | null = null

/** Once in a thread: what a strategy rejects and does not handle belongs to its realm. */
export function holdRejections(): void {
  process.on('unhandledRejection', (reason) => {
    // A fault of our own ends the thread as it always did.
    if (leave === null) throw reason
    leave(reason)
  })
}

export interface FrameOfJob {
  readonly shared: SharedArrayBuffer
  readonly layout: FrameLayout
}

export class GuestRealm {
  readonly #context: vm.Context
  readonly #api: RealmApi
  readonly #script: string
  /** By data hash. */
  readonly #copies = new Map<string, ArrayBuffer>()
  #pulse: StepContext['pulse'] | null = null
  #wasStopped = false
  #printed = 0
  #late: { readonly reason: unknown } | null = null

  private constructor(script: string) {
    this.#script = script
    // A plain global: one with interceptors would lead a strategy to our own object behind it, and be six times slower.
    this.#context = vm.createContext(vm.constants.DONT_CONTEXTIFY, { microtaskMode: 'afterEvaluate', codeGeneration: { strings: false, wasm: false } })
    const start = bootScript().runInContext(this.#context) as typeof boot
    this.#api = { ...start(
      (done, total) => this.#beat(done, total), (text) => createHash('sha256').update(textFrom(text)).digest('hex'), () => performance.now(),
      (stack) => placeIn(this.#script, textFrom(stack)), (text) => { this.#print(textFrom(text)) }, () => randomInt(2 ** 32), engineVersion) }
  }

  /** Loads stored code. Throws STRATEGY_INVALID. */
  static async load(code: string): Promise<GuestRealm> {
    const realm = new GuestRealm(await guestScript(code))
    const module = compiled(realm.#script)
    const fault = await realm.#settled(() => {
      realm.#api.take(module.runInContext(realm.#context, { displayErrors: false }))
      return textFrom(realm.#api.load())
    })
    if (fault !== '') throw errorOf(failureFrom((parsed(fault) as { failure: Failure }).failure))
    const late = realm.#lateText()
    if (late !== null) throw new SweepmillError('STRATEGY_INVALID', `The strategy file fails while it loads: ${late}`)
    return realm
  }

  /** Throws what the job throws, and STRATEGY_FAILED where the strategy wrote into its bars or left something behind. */
  async perform(job: JobName, { spec, ...input }: Readonly<Record<string, unknown>>, frames: Readonly<Record<string, FrameOfJob>>, pulse: StepContext['pulse']): Promise<JobResult> {
    const hashes = JSON.stringify(Object.fromEntries(Object.entries(frames).map(([name, { layout }]) => [name, layout.header.hash])))
    const specText = JSON.stringify(spec ?? null)
    const inputText = JSON.stringify(input)
    for (const frame of Object.values(frames)) this.#provide(frame)
    this.#pulse = pulse
    this.#wasStopped = false
    this.#printed = 0
    let answered: JobResult | Failure
    try {
      answered = await this.#settled(() => this.#answer(this.#api.perform(job, inputText, specText, hashes)))
    } finally {
      this.#pulse = null
    }
    if (this.#wasStopped) throw stopped()
    // Before what it says: also the answer of a job that failed may follow from what was written.
    if (Object.values(frames).some((frame) => this.#isDirty(frame))) throw new SweepmillError('STRATEGY_FAILED', WROTE)
    if ('code' in answered) throw errorOf(answered)
    const late = this.#lateText()
    if (late !== null) throw new SweepmillError('STRATEGY_FAILED', late)
    return answered
  }

  /** Bytes of its copies of frames. */
  get sizeBytes(): number {
    return [...this.#copies.values()].reduce((sum, copy) => sum + new Uint8Array(copy).byteLength, 0)
  }

  forget(dataHash: string): void {
    if (this.#copies.delete(dataHash)) this.#inside(() => { this.#api.forget(dataHash) })
  }

  /** What it left to run runs too, and a turn of the event loop, in which rejections are told. */
  async #settled<T>(call: () => T): Promise<T> {
    leave = (reason) => { this.#late ??= { reason } }
    this.#late = null
    try {
      return this.#inside(() => {
        const result = call()
        drain.runInContext(this.#context, { displayErrors: false })
        return result
      })
    } finally {
      await turn()
      leave = null
    }
  }

  /** The one way in. What is thrown out of it is the strategy's and is not looked at. */
  #inside<T>(call: () => T): T {
    try {
      return withInertErrors(call)
    } catch {
      throw new SweepmillError('STRATEGY_FAILED', 'The strategy failed in a way that cannot be told: it changed what would tell it.')
    }
  }

  /** Inside: looks at nothing but texts and memory. */
  #answer(text: unknown): JobResult | Failure {
    const answer = parsed(text) as Answer
    if ('failure' in answer) return failureFrom(answer.failure)
    const texts = answer.texts.map((name) => [name, utf8(textFrom(this.#api.text(name)))] as const)
    const bytes = answer.bytes.map((name) => [name, bytesFrom(this.#api.bytes(name))] as const)
    return { json: answer.json, bytes: Object.fromEntries([...texts, ...bytes]) }
  }

  #provide({ shared, layout: { header, dataAt } }: FrameOfJob): void {
    if (this.#copies.has(header.hash)) return
    const text = JSON.stringify(header)
    this.#inside(() => {
      const copy: unknown = this.#api.allocate(shared.byteLength)
      if (!types.isArrayBuffer(copy)) throw new TypeError('This is no memory.')
      new Uint8Array(copy).set(new Uint8Array(shared))
      this.#api.attach(header.hash, text, dataAt, copy)
      this.#copies.set(header.hash, copy)
    })
  }

  #isDirty({ shared, layout: { header } }: FrameOfJob): boolean {
    const copy = this.#copies.get(header.hash)
    try {
      return copy !== undefined && Buffer.compare(new Uint8Array(shared), new Uint8Array(copy)) !== 0
    } catch {
      // It was given away.
      return true
    }
  }

  #lateText(): string | null {
    const late = this.#late
    if (late === null) return null
    const text = this.#inside(() => textFrom(this.#api.textOf(late.reason)))
    return `The strategy left a promise or a callback behind that failed after its call, and must decide within it: ${text}`
  }

  #beat(done: number, total: number): boolean {
    this.#wasStopped ||= typeof done !== 'number' || typeof total !== 'number' || (this.#pulse?.beat(done, total) ?? true)
    return this.#wasStopped
  }

  #print(text: string): void {
    if (this.#printed > PRINTED_CHARACTERS) return
    this.#printed += text.length
    process.stderr.write(this.#printed > PRINTED_CHARACTERS ? '… and more, which is left out.\n' : text)
  }
}

/** One for all realms of a thread: what was compiled of it for one is there for the next. */
function bootScript(): vm.Script {
  realmScript ??= new vm.Script(readFileSync(REALM_SCRIPT, 'utf8'), { filename: 'sweepmill-realm.js' })
  return realmScript
}

function compiled(script: string): vm.Script {
  try {
    return new vm.Script(script, { filename: MODULE_NAME, lineOffset: -1 })
  } catch (thrown) {
    const { message } = thrown as Error
    const advice = message.startsWith('await is only valid') ? '. A strategy file loads at once: it may wait for nothing outside of its functions' : ''
    throw new SweepmillError('STRATEGY_INVALID', `The strategy file cannot be read as a program: ${message}${advice}.`)
  }
}

function parsed(text: unknown): unknown {
  const value: unknown = JSON.parse(textFrom(text))
  if (typeof value !== 'object' || value === null) throw new TypeError('This is no answer.')
  return value
}

function textFrom(value: unknown): string {
  if (typeof value !== 'string' || value.length > LONGEST_TEXT) throw new TypeError('This is no text of a usable length.')
  return value
}

/** A copy. */
function bytesFrom(value: unknown): Uint8Array {
  if (!types.isUint8Array(value)) throw new TypeError('These are no bytes.')
  const [buffer, offset, length] = [bufferOf.call(value), offsetOf.call(value), lengthOf.call(value)] as [ArrayBuffer, number, number]
  if (length > LARGEST_PAYLOAD) throw new RangeError('These are too many bytes.')
  return new Uint8Array(buffer, offset, length).slice()
}

/** What a realm says of an error may be anything that is JSON. */
function failureFrom(failure: { readonly [Key in keyof Failure]: unknown }): Failure {
  const { code, message, details } = failure
  return { code: typeof code === 'string' ? code : 'STRATEGY_FAILED', message: typeof message === 'string' ? message : 'The strategy failed without a word.', details }
}

/** A strategy may say what it likes: an error of its realm has a code that a strategy can have, and never sends its task round again. */
function errorOf({ code, message, details }: Failure): SweepmillError {
  const known = Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode] : undefined
  const may = known !== undefined && !known.retryable && (known.category === 'validation' || known.category === 'compute')
  return new SweepmillError(may ? code as ErrorCode : 'STRATEGY_FAILED', message, typeof details === 'object' && details !== null ? { details: { ...details } } : {})
}
