/**
 * Ctrl-C while a command waits: the first signal asks politely, the second ends the process at once.
 * (A second one must always work, even if something polite hangs; the tasks are safe in Postgres.)
 */
import { Interrupted } from './failure.js'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Runs `work` with a signal that aborts with `Interrupted`; `onFirst` says what will happen. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>, onFirst: () => void): Promise<T> {
  const controller = new AbortController()
  const handlers = SIGNALS.map((name) => {
    const handler = (): void => {
      const interrupted = new Interrupted(name)
      if (controller.signal.aborted) process.exit(interrupted.exitCode)
      controller.abort(interrupted)
      onFirst()
    }
    process.on(name, handler)
    return { name, handler }
  })
  try {
    return await work(controller.signal)
  } finally {
    for (const { name, handler } of handlers) process.off(name, handler)
  }
}
