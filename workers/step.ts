/** What a step gets and gives: decoded input, handles, payloads, and a pulse that keeps it answerable. */
import type { MessagePort } from 'node:worker_threads'
import { SweepmillError } from '../src/base/errors.js'
import { attachBars } from '../src/market/layout.js'
import type { Bars } from '../src/market/layout.js'
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
export function barsOf(context: StepContext): Bars {
  const buffer = context.shared['bars']
  if (buffer === undefined) throw new SweepmillError('INVARIANT', 'This step was called without bars.')
  let bars = attached.get(buffer)
  if (bars === undefined) {
    bars = attachBars(buffer)
    attached.set(buffer, bars)
  }
  return bars
}

export function stopped(): SweepmillError {
  return new SweepmillError('TASK_CANCELLED', 'The step was cancelled.')
}

export function payload(context: StepContext, name: string): Uint8Array {
  const bytes = context.bytes[name]
  if (bytes === undefined) throw new SweepmillError('INVARIANT', `This step was called without the payload ${name}.`)
  return bytes
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
