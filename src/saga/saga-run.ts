/** One run of a saga, as its orchestrator writes it: who it is for, and the row version that the next write must find. */
import type { PassWaypoint } from '../tasks/waypoint.js'
import type { AuditWrite, BegunRun, SagaLog, SagaRef, SagaWrite } from './saga-log.js'
import type { SagaConfig } from './saga-step.js'

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
    await this.#log.write({ ...write, audit, ref: this.ref, rowVersion: this.#rowVersion })
    this.#rowVersion += 1
    this.#waypoint('logged', this.ref.taskId)
  }
}
