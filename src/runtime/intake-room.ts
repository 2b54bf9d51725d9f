/**
 * Room for what submissions read, before they read it: DATA_MEMORY_MB beside that of the bars in use, so that no submission
 * waits for a sweep that holds its bars for hours. Who does not fit waits in order of arrival, holding nothing; what takes
 * more than all of the room while it is read has all of it to itself.
 */
import type { Clock } from '../base/clock.js'
import { SweepmillError } from '../base/errors.js'
import { collectGarbage } from '../base/garbage.js'
import { DataMemory } from './data-memory.js'

const MIB = 2 ** 20
/** Columns that grow, the frame in shared memory, the months that are stored, and what is being copied of them. */
const TIMES_THE_COLUMNS = 4
/** So many submissions are read or stored at once, however small they are: each has its spec, its bars and its months in memory. */
const MOST_AT_ONCE = 32
/** What a file takes is told by its first rows, and by its bytes where it is packed. */
const SLACK = 1.25
/** Memory of so much is collected before another submission has its room; else it would be there twice for a while, or longer. */
const COLLECTED_BYTES = 32 * MIB

export interface IntakePlace {
  /** What columns may take. */
  readonly columnBytes: number
  /** Once the bars are stored, or were given up. */
  leave(): void
}

export class IntakeRoom {
  readonly budgetBytes: number
  readonly #memory: DataMemory
  readonly #clock: Clock
  #waiting = 0

  constructor(budgetBytes: number, clock: Clock) {
    this.budgetBytes = budgetBytes
    this.#clock = clock
    // Nothing is kept here that could be evicted.
    this.#memory = new DataMemory({ budgetBytes, clock, evictOne: () => false, recall: () => Promise.resolve(), collectGarbage: () => Promise.resolve() })
  }

  /** Of submissions that are let in. */
  get usedBytes(): number {
    return this.#memory.usedBytes
  }

  /** Submissions that have no room yet. */
  get waiting(): number {
    return this.#waiting
  }

  /** As soon as there is room for columns of about so many bytes. DATA_TOO_LARGE where there never is; rejects with the signal's reason. */
  async enter(columnBytes: number, signal: AbortSignal): Promise<IntakePlace> {
    // A guess that is wrong by half is no reason to refuse: the reader says what it really needs.
    if (columnBytes > 2 * this.budgetBytes) throw this.tooLarge(columnBytes)
    const bytes = Math.min(this.budgetBytes, Math.max(TIMES_THE_COLUMNS * columnBytes, this.budgetBytes / MOST_AT_ONCE))
    this.#waiting += 1
    await this.#memory.take(bytes, signal).finally(() => { this.#waiting -= 1 })
    let held = true
    return {
      columnBytes: Math.min(this.budgetBytes, Math.max(SLACK * columnBytes, bytes / TIMES_THE_COLUMNS)),
      leave: () => {
        if (held) void this.#giveBack(bytes)
        held = false
      },
    }
  }

  async #giveBack(bytes: number): Promise<void> {
    if (bytes >= COLLECTED_BYTES) {
      // Who leaves has its bars at hand until it has returned.
      await this.#clock.sleep(0)
      await collectGarbage()
    }
    this.#memory.giveBack(bytes)
  }

  tooLarge(columnBytes: number): SweepmillError {
    const [needed, budget] = [Math.ceil(columnBytes / MIB), Math.floor(this.budgetBytes / MIB)]
    return new SweepmillError('DATA_TOO_LARGE', `The bars take about ${needed} MiB; at most ${budget} MiB of market data are kept here. Raise DATA_MEMORY_MB to ${needed} or more, or cut the data.`, {
      details: { size_bytes: Math.ceil(columnBytes), budget_bytes: this.budgetBytes },
    })
  }
}
