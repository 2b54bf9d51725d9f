/**
 * Who uses the servers, in a file: a supervisor that follows a killed one knows from it who is still to come. Users that live and
 * have not connected yet are due for a while; one that never comes (it let go while nobody could hear it) is given up.
 */
import type { Clock } from '../base/clock.js'
import { asMark, isRunning } from './process-mark.js'
import type { ProcessMark } from './process-mark.js'
import { readJson, writeWhole } from './whole-file.js'

/** Users connect within moments, unless they are stopped or have no turn on a busy machine. */
const DUE_WITHIN_MS = 60_000

export class KnownUsers {
  readonly #file: string
  readonly #clock: Clock
  readonly #connected = new Map<object, ProcessMark>()
  readonly #sinceMs: number
  #due: readonly ProcessMark[]

  constructor(file: string, clock: Clock) {
    this.#file = file
    this.#clock = clock
    this.#sinceMs = clock.monotonicMs()
    const noted = readJson(file)
    this.#due = Array.isArray(noted) ? noted.map(asMark).filter((mark) => mark !== null) : []
  }

  add(connection: object, user: ProcessMark | null): void {
    if (user === null) return
    this.#connected.set(connection, user)
    this.#due = this.#due.filter(({ pid }) => pid !== user.pid)
    this.#write()
  }

  remove(connection: object): void {
    if (this.#connected.delete(connection)) this.#write()
  }

  /** Whether somebody lives who used the servers of an earlier supervisor, and has not come to this one. */
  othersAreDue(): boolean {
    if (this.#clock.monotonicMs() - this.#sinceMs > DUE_WITHIN_MS) this.#due = []
    this.#due = this.#due.filter(isRunning)
    return this.#due.length > 0
  }

  /** On a full disk a later supervisor knows less, and its grace has to do. */
  #write(): void {
    try {
      writeWhole(this.#file, JSON.stringify([...this.#connected.values(), ...this.#due]))
    } catch {
      // See above.
    }
  }
}
