/** What a step gets and gives: decoded input, handles, payloads, and a pulse that keeps it answerable. */
import type { MessagePort } from 'node:worker_threads'
import { SweepmillError } from '../src/base/errors.js'
import { attachBars } from '../src/market/layout.js'
import type { Bars } from '../src/market/layout.js'
import { noteHandle } from './handles.js'
import type { Pulse } from '../src/engine/index.js'

export interface StepContext {
  readonly input: Readonly<Record<string, unknown>>
  readonly bytes: Readonly<Record<string, Uint8Array>>
  readonly shared: Readonly<Record<string, SharedArrayBuffer>>
  readonly port: MessagePort | null
  /** Reports progress, and says true when the step was cancelled. */
  readonly pulse: Pulse
}

export interface StepResult {
  readonly json: unknown
  readonly bytes?: Readonly<Record<string, Uint8Array>>
  readonly shared?: Readonly<Record<string, SharedArrayBuffer>>
}

export type Step = (context: StepContext) => StepResult | Promise<StepResult>

const attached = new WeakMap<SharedArrayBuffer, Bars>()

/** The bars of this step; views are made once per frame and thread. */
export function barsOf(context: StepContext, name = 'bars'): Bars {
  const buffer = context.shared[name]
  if (buffer === undefined) throw new SweepmillError('INVARIANT', 'This step was called without bars.')
  let bars = attached.get(buffer)
  if (bars === undefined) {
    bars = attachBars(buffer)
    noteHandle(bars.hash, buffer)
    attached.set(buffer, bars)
  }
  return bars
}

/**
 * Runs a step with a user's code in it and refuses one that wrote into the bars: threads share them, so every other
 * trial and task would go on with prices that no file holds. Costs two passes over the bars, 1 ms for 100 000 of them.
 */
export async function onGuardedBars(context: StepContext, step: Step): Promise<StepResult> {
  const buffer = context.shared['bars']
  if (buffer === undefined) return step(context)
  const before = checksum(buffer)
  const result = await step(context)
  if (checksum(buffer) === before) return result
  throw new SweepmillError('STRATEGY_FAILED', 'The strategy wrote into the columns of its bars, which all trials share. Copy a column before changing it, for example with close.slice().')
}

function checksum(buffer: SharedArrayBuffer): number {
  const words = new Int32Array(buffer, 0, buffer.byteLength >> 2)
  let sum = 0
  for (let i = 0; i < words.length; i += 1) sum = (Math.imul(sum, 31) + words[i]!) | 0
  return sum
}

export function stopped(): SweepmillError {
  return new SweepmillError('TASK_CANCELLED', 'The step was cancelled.')
}

export function payload(context: StepContext, name: string): Uint8Array {
  const bytes = context.bytes[name]
  if (bytes === undefined) throw new SweepmillError('INVARIANT', `This step was called without the payload ${name}.`)
  return bytes
}

export function utf8Text(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
