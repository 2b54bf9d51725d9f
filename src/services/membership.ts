/**
 * A user's place among the users of the embedded servers: an open connection to their supervisor. Where the supervisor is killed,
 * the user registers with the next one, which it starts if there is none; the servers, and their URLs, stay what they are.
 *
 * States: joined → joining again (the connection broke) → joined … → left. It keeps trying until it is left.
 */
import type { Clock } from '../base/clock.js'
import type { SupervisorLink } from './supervisor-link.js'

export interface Joined {
  readonly link: SupervisorLink
  readonly redisUrl: string | null
  readonly databaseUrl: string | null
  /** Of the supervisor. */
  readonly pid: number
}

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 5000

export class Membership {
  readonly #join: () => Promise<Joined>
  readonly #clock: Clock
  readonly #log: (line: string) => void
  #joined: Joined
  #joiningAgain: Promise<void> | null = null
  #left = false
  #isLastTry = false
  #pause: (() => void) | null = null

  constructor(joined: Joined, join: () => Promise<Joined>, clock: Clock, log: (line: string) => void) {
    this.#joined = joined
    this.#join = join
    this.#clock = clock
    this.#log = log
    this.#watch(joined)
  }

  /** The supervisor that this user is registered with, whichever it is by then; null where there is none to be had. */
  async current(): Promise<Joined | null> {
    if (this.#joined.link.ended) {
      this.#isLastTry = true
      await this.#joined.link.closed
      this.#pause?.()
      await this.#joiningAgain
    }
    return this.#joined.link.ended ? null : this.#joined
  }

  async leave(): Promise<void> {
    this.#left = true
    this.#pause?.()
    await this.#joined.link.close()
  }

  #watch({ link }: Joined): void {
    void link.closed.then(() => {
      if (this.#left) return
      this.#joiningAgain = this.#joinAgain().finally(() => { this.#joiningAgain = null })
    })
  }

  async #joinAgain(): Promise<void> {
    const { redisUrl, databaseUrl } = this.#joined
    for (let pauseMs = FIRST_PAUSE_MS; !this.#left; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        const joined = await this.#join()
        this.#joined = joined
        if (this.#left) return await joined.link.close()
        this.#watch(joined)
        this.#log('the supervisor of the embedded services was gone; registered with the next one')
        if (joined.redisUrl !== redisUrl || joined.databaseUrl !== databaseUrl) {
          this.#log('the embedded services have other ports than before, because somebody else took theirs: start this process again')
        }
        return
      } catch (error) {
        this.#log(`the supervisor of the embedded services is gone, and none can be started yet: ${error instanceof Error ? error.message : String(error)}`)
        if (this.#isLastTry) return
        await this.#sleep(pauseMs)
      }
    }
  }

  /** Keeps no process alive that has nothing else to do. */
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, resolve)
      this.#pause = () => {
        cancel()
        resolve()
      }
    })
  }
}
