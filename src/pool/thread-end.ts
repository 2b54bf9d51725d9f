/**
 * Ends threads that were told to end. V8 ends a thread by an exception that no code catches, but Node.js catches everything
 * in its callback for a rejected promise: a strategy that rejects promises in a loop is mostly there, so that one word is
 * lost and the thread runs for ever, with it the process that waits for its threads. So the word is said until it is gone.
 */
import type { Worker } from 'node:worker_threads'
import type { Clock } from '../base/clock.js'

const AGAIN_AFTER_MS = 50

export function insistOnEnd(thread: Worker, clock: Clock): void {
  // Each word listens for the end.
  thread.setMaxListeners(0)
  const stop = clock.every(AGAIN_AFTER_MS, () => { void thread.terminate() })
  thread.once('exit', stop)
}
