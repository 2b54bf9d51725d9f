/**
 * One run of a saga, as its orchestrator writes it: who it is for, and the row version that the next write must find.
 * Whether a run goes on, forward or back, never depends on the words of an error: where they cannot be stored, the write
 * is made without them.
 */
import { toSweepmillError } from '../base/errors.js'
import type { SweepmillError } from '../base/errors.js'
import type { PassWaypoint } from '../tasks/waypoint.js'
import type { AuditWrite, BegunRun, SagaLog, SagaRef, SagaWrite } from './saga-log.js'
import type { SagaConfig } from './saga-step.js'
import { leavesRunOpen } from './step-runner.js'

export class SagaRun {
  readonly ref: SagaRef
  readonly #config: SagaConfig
  readonly #log: SagaLog
  readonly #waypoint: PassWaypoint
  #rowVersion: number

  constructor(begun: BegunRun, config: SagaConfig, log: SagaLog, waypoint: PassWaypoint) {
    this.ref = begun.ref
    this.#rowVersion = begun.rowVersion
    this.#config = config
    this.#log = log
    this.#waypoint = waypoint
  }

  /** Audit rows carry the user and the address for whom the saga runs. */
  async write(write: Omit<SagaWrite, 'ref' | 'rowVersion'>): Promise<void> {
    const { userId, ipAddress, enableAuditLog } = this.#config
    const audit = enableAuditLog ? write.audit.map(({ event, detail }): AuditWrite => ({ event, detail: { ...detail, user_id: userId, ip_address: ipAddress } })) : []
    this.#waypoint('logging', this.ref.taskId)
    const whole: SagaWrite = { ...write, audit, ref: this.ref, rowVersion: this.#rowVersion }
    await this.#log.write(whole).catch((thrown: unknown) => {
      if (!isRefusal(toSweepmillError(thrown)) || !hasWords(whole)) throw thrown
      return this.#log.write(withoutWords(whole))
    })
    this.#rowVersion += 1
    this.#waypoint('logged', this.ref.taskId)
  }
}

/** The store said no to what was written. Anything else (a lost lease, a server that is away) the next attempt goes on from. */
export function isRefusal(error: SweepmillError): boolean {
  return !leavesRunOpen(error) && !error.retryable
}

const UNSTORABLE = 'The error could not be stored.'

function hasWords({ steps, audit }: SagaWrite): boolean {
  return steps.some((step) => step.error !== undefined) || audit.some(({ detail }) => 'message' in detail)
}

function withoutWords(write: SagaWrite): SagaWrite {
  return {
    ...write,
    steps: write.steps.map((step) => (step.error === undefined ? step : { ...step, error: { code: step.error.code, message: UNSTORABLE } })),
    audit: write.audit.map((one) => ('message' in one.detail ? { ...one, detail: { ...one.detail, message: UNSTORABLE } } : one)),
  }
}
