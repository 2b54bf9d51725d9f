/**
 * What a strategy finds around it beside the language itself: a console, a clock, random numbers, and sentences in place of
 * what is not for it. Made inside its realm, before it is loaded.
 */
import { SweepmillError } from '../../src/base/errors.js'
import type { OutsideCalls } from './realm-api.js'
import { structuredCopy } from './structured-copy.js'

/** They would call back later, and a strategy decides within its call. */
const LATER = ['setTimeout', 'setInterval', 'setImmediate', 'fetch', 'MessageChannel', 'BroadcastChannel', 'WebSocket', 'EventSource', 'Worker', 'FinalizationRegistry'] as const
/** Node.js itself. */
const OF_PROCESS = [
  'exit', 'reallyExit', 'abort', 'kill', 'nextTick', 'getBuiltinModule', 'binding', 'dlopen', 'chdir', 'cwd', 'hrtime', 'on', 'once', 'off', 'emit',
  'addListener', 'removeListener', 'removeAllListeners', 'setUncaughtExceptionCaptureCallback', 'memoryUsage', 'cpuUsage', 'send',
] as const
const LEVELS = ['log', 'info', 'debug', 'warn', 'error', 'trace', 'table', 'dir'] as const

export function furnish(calls: Pick<OutsideCalls, 'nowMs' | 'print' | 'random32'>): void {
  const { nowMs, print, random32 } = calls
  const console: Record<string, unknown> = {}
  for (const level of LEVELS) console[level] = (...shown: readonly unknown[]): void => { print(`${shown.map(textOf).join(' ')}\n`) }
  const crypto = {
    getRandomValues: <T extends Uint8Array>(array: T): T => {
      if (!ArrayBuffer.isView(array)) throw new TypeError('getRandomValues needs a typed array.')
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
      for (let i = 0; i < bytes.length; i += 1) bytes[i] = random32() & 0xff
      return array
    },
    randomUUID: (): string => 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replaceAll(/[xy]/g, (c) => ((random32() & 15 & (c === 'x' ? 15 : 3)) | (c === 'x' ? 0 : 8)).toString(16)),
  }
  const queueMicrotask = (call: () => void): void => {
    if (typeof call !== 'function') throw new TypeError('queueMicrotask needs a function.')
    void Promise.resolve().then(() => { call() })
  }
  const offered = { console, crypto, performance: { now: nowMs, timeOrigin: 0 }, queueMicrotask, structuredClone: structuredCopy, process: processStub(print), global: globalThis }
  for (const [name, value] of Object.entries(offered)) Object.defineProperty(globalThis, name, { value, writable: true, configurable: true })
  for (const name of LATER) refuse(name, `The strategy called ${name}. It must decide within its call: nothing of it may run later.`)
  refuse('require', 'The strategy called require. It may import "sweepmill", files beside it and installed packages that run anywhere; nothing of Node.js.')
  Object.defineProperty(globalThis, 'WebAssembly', { value: undefined, writable: true, configurable: true })
  Reflect.deleteProperty(Atomics, 'waitAsync')
}

function refuse(name: string, sentence: string): void {
  Object.defineProperty(globalThis, name, { value: refuser(sentence), writable: true, configurable: true })
}

/** For calls with and without `new`. */
function refuser(sentence: string): () => never {
  return function () {
    throw new SweepmillError('STRATEGY_FAILED', sentence)
  }
}

/** Packages ask it for `env.NODE_ENV` and whether they are in Node.js; what it could do is refused by name. */
function processStub(print: OutsideCalls['print']): object {
  const refused = Object.fromEntries(OF_PROCESS.map((name) => [name, refuser(`The strategy called process.${name}(). ${
    name.endsWith('xit') || name === 'abort' || name === 'kill' ? 'Throw an error instead.' : 'Nothing of Node.js is there for a strategy.'}`)]))
  const stream = { write: (text: unknown): boolean => {
    print(textOf(text))
    return true
  } }
  return { env: {}, stdout: stream, stderr: stream, ...refused }
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Error) return String(value.stack ?? value)
  if (ArrayBuffer.isView(value)) {
    const { length = 0 } = value as { length?: number }
    return `${value.constructor.name}(${length}) [ ${Array.from((value as Float64Array).subarray(0, 100)).join(', ')}${length > 100 ? `, and ${length - 100} more` : ''} ]`
  }
  if (typeof value === 'function') return `[function ${value.name}]`
  if (typeof value !== 'object' || value === null) return String(value)
  try {
    return JSON.stringify(value)
  } catch {
    return '[object that is no JSON]'
  }
}
