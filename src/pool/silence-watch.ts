/**
 * Watches over steps that run: one that gives no sign of life for as long as it may is told to its owner, once.
 *
 * Silence is counted in looks and not by the clock: a process that was stopped, or a machine that slept, has looked at
 * nobody meanwhile, and its threads did not run either. Looks cost nothing while no step runs.
 */
import type { Clock } from '../base/clock.js'

/** So often at most, and ten times at least in the time that a step may be silent. */
const LOOK_EVERY_MS = 1000
const LOOKS = 10
/** From here on a thread counts as stuck for whoever asks. Built-in steps give a sign in far less. */
const STUCK_AFTER_MS = 10_000
/** A thread that is asked for its first step may still load what that needs, on a machine that is busy with other things. */
const BEGINS_WITHIN_MS = 5000

export interface Watched {
  /** Of this many milliseconds; infinity: for ever. */
  readonly mostSilentMs: number
  /** Changes with every sign of life. */
  readonly beats: () => number
  /** Nobody could have begun it yet: its silence does not count. */
  readonly waits: () => boolean
  /** Silent for too long. `begun`: it gave a sign of life before. */
  readonly onSilent: (begun: boolean) => void
}

interface Watch {
  readonly watched: Watched
  beats: number
  silentMs: number
}

export class SilenceWatch {
  readonly #clock: Clock
  readonly #lookMs: number
  readonly #watches = new Set<Watch>()
  #stop: (() => void) | null = null

  constructor(clock: Clock, shortestMs: number) {
    this.#clock = clock
    this.#lookMs = Math.max(1, Math.min(LOOK_EVERY_MS, Math.floor(shortestMs / LOOKS)))
  }

  /** Until the returned function is called. */
  add(watched: Watched): () => void {
    const watch = { watched, beats: watched.beats(), silentMs: 0 }
    this.#watches.add(watch)
    this.#stop ??= this.#clock.every(this.#lookMs, () => { this.#look() })
    return () => { this.#watches.delete(watch) }
  }

  /** How many have been silent for ten seconds, or half of the time that they may be. */
  stuck(): number {
    let count = 0
    for (const { watched, silentMs } of this.#watches) if (silentMs >= Math.min(STUCK_AFTER_MS, watched.mostSilentMs / 2)) count += 1
    return count
  }

  close(): void {
    this.#stop?.()
    this.#stop = null
    this.#watches.clear()
  }

  #look(): void {
    if (this.#watches.size === 0) {
      this.#stop?.()
      this.#stop = null
    }
    for (const watch of this.#watches) {
      if (watch.watched.waits()) continue
      const beats = watch.watched.beats()
      const before = watch.silentMs
      watch.silentMs = beats === watch.beats ? before + this.#lookMs : 0
      watch.beats = beats
      const most = beats === 0 ? Math.max(watch.watched.mostSilentMs, BEGINS_WITHIN_MS) : watch.watched.mostSilentMs
      if (before < most && watch.silentMs >= most) watch.watched.onSilent(beats !== 0)
    }
  }
}
