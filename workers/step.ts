/** What a step gets and gives: decoded input, handles, payloads, and a pulse that keeps it answerable. */
import type { MessagePort } from 'node:worker_threads'
import { SweepmillError } from '../src/base/errors.js'
import { attachBars, frameLayout } from '../src/market/layout.js'
import type { Bars, FrameLayout } from '../src/market/layout.js'
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
const layouts = new WeakMap<SharedArrayBuffer, FrameLayout>()

/** The bars of this step; views are made once per frame and thread. */
export function barsOf(context: StepContext, name = 'bars'): Bars {
  const buffer = frame(context, name)
  let bars = attached.get(buffer)
  if (bars === undefined) {
    bars = attachBars(buffer)
    noteHandle(bars.hash, buffer)
    attached.set(buffer, bars)
  }
  return bars
}

/** The same for who copies them. */
export function frameOf(context: StepContext, name: string): { readonly shared: SharedArrayBuffer; readonly layout: FrameLayout } {
  const shared = frame(context, name)
  let layout = layouts.get(shared)
  if (layout === undefined) {
    barsOf(context, name)
    layout = frameLayout(shared)
    layouts.set(shared, layout)
  }
  return { shared, layout }
}

function frame(context: StepContext, name: string): SharedArrayBuffer {
  const buffer = context.shared[name]
  if (buffer === undefined) throw new SweepmillError('INVARIANT', 'This step was called without bars.')
  return buffer
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
