/** The threads themselves: a Piscina, and the channel over which data are recalled from its threads. */
import { join } from 'node:path'
import { Piscina } from 'piscina'
import type { Clock } from '../base/clock.js'
import { newNonce } from '../base/ids.js'
import { packageRoot } from '../base/package-root.js'
import { HandleRecall } from './handle-recall.js'
import type { ThreadReply, ThreadRequest } from './protocol.js'
import type { ThreadOptions } from './thread-side.js'

export interface StartedThreads {
  readonly piscina: Piscina<ThreadRequest, ThreadReply>
  readonly recall: HandleRecall
}

export interface ThreadsWanted {
  readonly threads: number
  readonly clock: Clock
  readonly niceness?: number
  readonly heapMb?: number
}

const WORKER_FILE = join(packageRoot, 'dist', 'workers', 'compute.js')
/**
 * Piscina loads the file by require() where Node.js can do that with ES modules, and a thread that is ended while it does takes
 * the whole process with it (v8::Module::IsGraphAsync). Loaded by import() it may be ended at any moment.
 */
const WITHOUT_REQUIRED_MODULES = process.allowedNodeEnvironmentFlags.has('--experimental-require-module') ? ['--no-experimental-require-module'] : []

/** `onError` hears of a thread that ended while it was idle, or could not start, and how many there are after it. */
export function startThreads({ threads, clock, niceness = 10, heapMb }: ThreadsWanted, onError: (error: unknown, threadsLeft: number) => void): StartedThreads {
  const recallChannel = `sweepmill recall ${newNonce()}`
  const piscina = new Piscina<ThreadRequest, ThreadReply>({
    filename: WORKER_FILE, minThreads: threads, maxThreads: threads, idleTimeout: Number.POSITIVE_INFINITY,
    // The default blocks a thread's own event loop between tasks, which steps that read from a port need.
    atomics: 'disabled', recordTiming: false,
    execArgv: [...process.execArgv, ...WITHOUT_REQUIRED_MODULES],
    workerData: { niceness, recallChannel } satisfies ThreadOptions,
    ...(heapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMb } }),
  })
  // A thread that dies while idle is replaced by Piscina; a step in it is rejected by its own promise.
  piscina.on('error', (error) => { onError(error, piscina.threads.length) })
  return { piscina, recall: new HandleRecall(recallChannel, clock, () => piscina.threads.map(({ threadId }) => threadId)) }
}
