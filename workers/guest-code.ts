/**
 * A user's code in this thread, kept to its own task.
 *
 * A strategy decides within its call. What it leaves behind (a rejected promise, a throw in a microtask) comes up when the call
 * is over, and Node.js ends the thread for it, or the whole process where a thread is being ended at that moment. So every
 * such error is caught here, and a step with a user's code is over only when the event loop has turned once after it: what was
 * caught by then fails that step, and microtasks without end are ended with it, by its timeout. What would call back
 * later still (timers, channels, requests) is refused while such a step runs. Threads run one step at a time.
 */
import { createHook } from 'node:async_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { SweepmillError } from '../src/base/errors.js'

interface Late {
  readonly thrown: unknown
}

/** Hash of the code that was used last; null before the first. */
let current: string | null = null
let isRunning = false
let caught: Late | null = null
/** By hash: what came when no step was there to fail. The next one with that code fails of it. */
const faults = new Map<string, Late>()
/** Whose step made a promise: it may be rejected in another's. Watched in steps with a user's code alone. */
const makers = new WeakMap<object, string>()
const watch = createHook({
  init: (_id, type, _trigger, made) => { if (type === 'PROMISE' && current !== null) makers.set(made, current) },
})

const LATER = ['setTimeout', 'setInterval', 'setImmediate', 'fetch', 'MessageChannel', 'BroadcastChannel', 'WebSocket', 'EventSource'] as const
/** Those end or harm the thread or the process. */
const OF_PROCESS = ['exit', 'reallyExit', 'abort', 'kill', 'setUncaughtExceptionCaptureCallback'] as const

/** Once, before any user's code is loaded. */
export function holdGuestCode(): void {
  // Sees all that no listener does, and no strategy can remove it.
  process.setUncaughtExceptionCaptureCallback((thrown) => { note(thrown) })
  for (const name of OF_PROCESS) refuse(process, name, `process.${name}(). Throw an error instead.`)
  for (const name of LATER) refuse(globalThis, name, `${name}. It must decide within its call: nothing of it may run later.`)
}

/** Runs a step with a user's code to its very end. Throws STRATEGY_FAILED for what the code left behind. */
export async function withGuestCode<T>(step: () => T | Promise<T>): Promise<T> {
  isRunning = true
  caught = null
  watch.enable()
  // Knows whose promise it is. A strategy may have removed it.
  process.removeListener('unhandledRejection', onRejection)
  process.on('unhandledRejection', onRejection)
  try {
    const result = await settled(step)
    throwCaught()
    return result
  } finally {
    watch.disable()
    isRunning = false
    caught = null
  }
}

/** Loads code. Throws what loading throws, and STRATEGY_FAILED for what the code left behind while it loaded. */
export async function loadGuestCode<T>(hash: string, load: () => Promise<T>): Promise<T> {
  current = hash
  const module = await settled(load)
  throwCaught()
  return module
}

/** Every step that uses code says so. Throws STRATEGY_FAILED where something of it failed after the end of an earlier step. */
export function enterGuestCode(hash: string): void {
  current = hash
  const fault = faults.get(hash)
  if (fault !== undefined) throw leftBehind(fault)
}

/** A thrown value in words, whatever it is and whatever its getters do. */
export function textOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown)
  } catch {
    return 'a value that cannot be shown'
  }
}

async function settled<T>(call: () => T | Promise<T>): Promise<T> {
  try {
    return await call()
  } finally {
    await turn()
    // Else whoever reads a stack runs the strategy's code.
    Reflect.deleteProperty(Error, 'prepareStackTrace')
  }
}

function throwCaught(): void {
  if (caught !== null) throw leftBehind(caught)
}

function onRejection(reason: unknown, promise: Promise<unknown>): void {
  note(reason, makers.get(promise))
}

function note(thrown: unknown, maker?: string): void {
  // Only our own code has run so far, and a fault of ours ends the thread as it always did.
  if (current === null) throw thrown
  const hash = maker ?? ownerOf(thrown) ?? current
  if (isRunning && hash === current) caught ??= { thrown }
  else if (!faults.has(hash)) faults.set(hash, { thrown })
}

/** The code's folder, which has its hash as a name, stands in every line of its stacks. */
function ownerOf(thrown: unknown): string | null {
  try {
    const { stack } = thrown as { stack?: unknown }
    return typeof stack === 'string' ? /[\\/]([0-9a-f]{64})[\\/-]/.exec(stack)?.[1] ?? null : null
  } catch {
    return null
  }
}

function leftBehind({ thrown }: Late): SweepmillError {
  return new SweepmillError('STRATEGY_FAILED', `The strategy left a promise or a callback behind that failed after its call, and must decide within it: ${textOf(thrown)}`, { cause: thrown })
}

/** In steps without a user's code the real one is called: packages of ours use them. */
function refuse(owner: object, name: string, what: string): void {
  const real = Reflect.get(owner, name) as unknown
  if (typeof real !== 'function') return
  const check = (): void => {
    if (isRunning && !isCalledByNode()) throw new SweepmillError('STRATEGY_FAILED', `The strategy called ${what}`)
  }
  Reflect.set(owner, name, new Proxy(real, {
    apply: (target, self, args: unknown[]) => {
      check()
      return Reflect.apply(target as () => unknown, self, args) as unknown
    },
    construct: (target, args: unknown[], self) => {
      check()
      return Reflect.construct(target, args, self) as object
    },
  }))
}

/** Node.js ends a thread that it cannot help by process.exit(): a throw there would end the process. */
function isCalledByNode(): boolean {
  Reflect.deleteProperty(Error, 'prepareStackTrace')
  Reflect.set(Error, 'stackTraceLimit', 10)
  // This function, check, the trap, and who called.
  return /\(node:|at node:/.test(new Error('who').stack?.split('\n')[4] ?? '')
}
