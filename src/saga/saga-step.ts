/**
 * What a saga is made of: steps in order, each with a kind, and compensations that undo them in reverse.
 *
 * Rules that `defineSaga` checks: compensatable steps come before the pivot, retriable ones after it,
 * names are unique, at most one pivot. After the pivot there is no way back, only forward.
 */
import { SweepmillError } from '../base/errors.js'

export type StepKind = 'read-only' | 'compensatable' | 'pivot' | 'retriable'

/** JSON text: the log keeps it, a later attempt gets it back, and nobody in between decodes it. */
export type StepOutput = string

/** Tries within one attempt, for errors that may pass; the pause doubles after each. */
export interface StepRetry {
  readonly tries: number
  readonly pauseMs: number
}

export interface SagaStep<Context> {
  readonly name: string
  readonly kind: StepKind
  /**
   * Runs at least once and must be safe to run again after a crash. Returns what later steps and a resumed run need.
   * `signal` aborts when the attempt is stopped or the step's timeout is over; whoever heeds it is not waited for in vain.
   */
  run(context: Context, signal: AbortSignal): Promise<StepOutput>
  /** Default: one try; for a retriable step five, from 200 ms. */
  readonly retry?: StepRetry
  /** The longest that one try may take, in milliseconds. What it did by then counts as done, and is undone. */
  readonly timeoutMs?: number
  /** True for a last step whose own transaction ends the run: the task's result, state and saga are committed together. */
  readonly endsRun?: boolean
  /** Undoes the step. It is called as well when the outcome is unknown, so it must tolerate "never happened". */
  readonly compensation?: {
    readonly name: string
    undo(context: Context, output: StepOutput | null, key: UndoKey): Promise<void>
  }
  /** What a resumed run does instead of `run` when the log says the step is finished. */
  resume?(context: Context, output: StepOutput): Promise<void>
}

/** `saga:step:undo`: the same for every try of one undo, for systems that take an idempotency key. */
export type UndoKey = `${string}:${string}:undo`

export interface SagaDefinition<Context> {
  readonly type: string
  /** Registered by (type, version): a running saga is only resumed by the version that began it. */
  readonly version: number
  readonly steps: readonly SagaStep<Context>[]
}

export interface SagaConfig {
  readonly sagaType: string
  readonly userId: string | null
  readonly ipAddress: string | null
  readonly enableMetrics: boolean
  readonly enableAuditLog: boolean
}

const KINDS: readonly StepKind[] = ['read-only', 'compensatable', 'pivot', 'retriable']
const DEFINITION_KEYS: readonly string[] = Object.keys({ type: 1, version: 1, steps: 1 } satisfies Record<keyof SagaDefinition<unknown>, 1>)
const STEP_KEYS: readonly string[] = Object.keys({
  name: 1, kind: 1, run: 1, retry: 1, timeoutMs: 1, endsRun: 1, compensation: 1, resume: 1,
} satisfies Record<keyof SagaStep<unknown>, 1>)

/** A slip would be dropped: `timeout` for `timeoutMs` is a step without one. */
function refuseUnknown(refuse: (why: string) => never, value: object, known: readonly string[], what: string): void {
  const key = Object.keys(value).find((one) => !known.includes(one))
  if (key !== undefined) refuse(`${what} has the unknown key ${key}; known are ${known.join(', ')}`)
}

/** Returns the definition, or throws SAGA_INVALID with the rule that it breaks. */
export function defineSaga<Context>(definition: SagaDefinition<Context>): SagaDefinition<Context> {
  const { type, version, steps } = definition
  const refuse = (why: string): never => { throw new SweepmillError('SAGA_INVALID', `Saga ${type}: ${why}.`) }
  refuseUnknown(refuse, definition, DEFINITION_KEYS, 'it')
  for (const step of steps) {
    refuseUnknown(refuse, step, STEP_KEYS, `step ${step.name}`)
    if (step.compensation !== undefined) refuseUnknown(refuse, step.compensation, ['name', 'undo'], `the compensation of step ${step.name}`)
    if (step.retry !== undefined) refuseUnknown(refuse, step.retry, ['tries', 'pauseMs'], `retry of step ${step.name}`)
    if (!KINDS.includes(step.kind)) refuse(`step ${step.name} has the kind ${step.kind}; known are ${KINDS.join(', ')}`)
  }
  if (!Number.isInteger(version) || version < 1) refuse(`its version is ${version}; number versions from 1`)
  if (steps.length === 0) refuse('it has no steps')
  if (new Set(steps.map((step) => step.name)).size !== steps.length) refuse('two steps have the same name')
  const pivot = steps.findIndex((step) => step.kind === 'pivot')
  if (steps.filter((step) => step.kind === 'pivot').length > 1) refuse('it has more than one pivot')
  steps.forEach((step, i) => {
    if (pivot >= 0 && i > pivot && step.kind === 'compensatable') refuse(`step ${step.name} is compensatable and comes after the pivot`)
    if ((pivot < 0 || i < pivot) && step.kind === 'retriable') refuse(`step ${step.name} is retriable and comes before the pivot`)
    if (step.kind === 'compensatable' && step.compensation === undefined) refuse(`step ${step.name} is compensatable and has no compensation`)
    if (step.endsRun === true && i < steps.length - 1) refuse(`step ${step.name} ends the run and is not the last`)
    if (step.retry !== undefined && step.retry.tries < 1) refuse(`step ${step.name} is never tried`)
    if (step.timeoutMs !== undefined && !(step.timeoutMs > 0)) refuse(`step ${step.name} has no time`)
  })
  return definition
}
