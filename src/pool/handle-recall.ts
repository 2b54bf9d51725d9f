/**
 * Makes all threads let go of data that left the memory of this process.
 *
 * A handle on a SharedArrayBuffer is an object in the thread's own heap, one for each message that carried it, and a
 * thread that idles never collects it. So each thread is asked to drop what it keeps, to collect, and to count what
 * is left; one that still has some is asked again. A thread answers between two steps. One that died holds nothing.
 */
import { BroadcastChannel } from 'node:worker_threads'
import type { Clock } from '../base/clock.js'
import type { RecallAnswer, RecallRequest, ThreadListening } from './recall-message.js'

const LOOK_EVERY_MS = 100

interface Recall {
  readonly dataHash: string
  /** Threads without a handle. */
  readonly clear: Set<number>
  /** Threads that have not answered yet. */
  readonly asked: Set<number>
  readonly done: () => void
}

export class HandleRecall {
  readonly channelName: string
  readonly #channel: BroadcastChannel
  readonly #clock: Clock
  readonly #living: () => readonly number[]
  readonly #recalls = new Map<number, Recall>()
  /** Threads that listen; what is sent before is lost. */
  readonly #listening = new Set<number>()
  #count = 0
  #stopLooking: (() => void) | null = null

  /** `living`: ids of the threads that run now. */
  constructor(channelName: string, clock: Clock, living: () => readonly number[]) {
    this.channelName = channelName
    this.#clock = clock
    this.#living = living
    this.#channel = new BroadcastChannel(channelName)
    // The channel alone must not keep the process alive.
    this.#channel.unref()
    this.#channel.addEventListener('message', (event) => { this.#heed((event as MessageEvent as { data: RecallAnswer | ThreadListening }).data) })
  }

  /** Resolves when no thread has a handle on these bars any more, or when the pool closes. */
  recall(dataHash: string): Promise<void> {
    return new Promise((done) => {
      this.#count += 1
      this.#recalls.set(this.#count, { dataHash, clear: new Set(), asked: new Set(), done })
      this.#stopLooking ??= this.#clock.every(LOOK_EVERY_MS, () => { this.#look() })
      this.#look()
    })
  }

  /** Every thread that runs has loaded its code. */
  allListen(): boolean {
    return this.#living().every((threadId) => this.#listening.has(threadId))
  }

  close(): void {
    this.#stopLooking?.()
    this.#channel.close()
    for (const { done } of this.#recalls.values()) done()
    this.#recalls.clear()
  }

  #look(): void {
    const living = this.#living()
    for (const [id, recall] of this.#recalls) {
      const { clear, asked, dataHash, done } = recall
      if (living.every((threadId) => clear.has(threadId))) {
        this.#recalls.delete(id)
        done()
        continue
      }
      const threadIds = living.filter((threadId) => this.#listening.has(threadId) && !clear.has(threadId) && !asked.has(threadId))
      if (threadIds.length === 0) continue
      for (const threadId of threadIds) asked.add(threadId)
      this.#channel.postMessage({ type: 'recall', recall: id, threadIds, dataHash } satisfies RecallRequest)
    }
    if (this.#recalls.size > 0) return
    this.#stopLooking?.()
    this.#stopLooking = null
  }

  #heed(answer: RecallAnswer | ThreadListening): void {
    if (answer.type === 'listening') {
      this.#listening.add(answer.threadId)
      return
    }
    const recall = this.#recalls.get(answer.recall)
    if (recall === undefined) return
    // Who still has a handle is asked again at the next look.
    recall.asked.delete(answer.threadId)
    if (answer.handles > 0) return
    recall.clear.add(answer.threadId)
    this.#look()
  }
}
