/**
 * CPU-bound steps in Piscina's threads, behind a waiting line of our own.
 *
 * At most one step per thread is handed to Piscina. A cancelled step gets its cancel cell set; if it does not end
 * by itself (user code after 100 ms, built-in code after 5 s) its thread is terminated and replaced. Threads run at a
 * lower priority than the main thread, so leases are renewed however busy they are.
 */
import { join } from 'node:path'
import { Piscina } from 'piscina'
import type { MessagePort } from 'node:worker_threads'
import type { Clock } from '../base/clock.js'
import { SweepmillError, toSweepmillError } from '../base/errors.js'
import { newNonce } from '../base/ids.js'
import { packageRoot } from '../base/package-root.js'
import type { ComputePool, ComputeReply, ComputeRequest, PoolStats } from '../tasks/compute-pool.js'
import { PRIORITIES } from '../tasks/task.js'
import type { PriorityWeights } from '../tasks/task.js'
import { ControlBlock } from './control-block.js'
import { HandleRecall } from './handle-recall.js'
import { encodeCall } from './protocol.js'
import type { ThreadReply, ThreadRequest } from './protocol.js'
import type { ThreadOptions } from './thread-side.js'
import { ScratchFolder } from './scratch-folder.js'
import { insistOnEnd } from './thread-end.js'
import { ThreadShares } from './thread-shares.js'
import { WaitingLine } from './waiting-line.js'

export interface ComputePoolOptions {
  readonly threads: number
  /** Heap of one thread in MiB; absent: Node's default. */
  readonly heapMb?: number
  readonly clock: Clock
  /** Linux nice value of the threads; default 10. */
  readonly niceness?: number
  /** How priorities share thread time; absent or null: strict. */
  readonly weights?: PriorityWeights | null
}

const WORKER_FILE = join(packageRoot, 'dist', 'workers', 'compute.js')
/**
 * Piscina loads the file by require() where Node.js can do that with ES modules, and a thread that is ended while it does takes
 * the whole process with it (v8::Module::IsGraphAsync). Loaded by import() it may be ended at any moment.
 */
const WITHOUT_REQUIRED_MODULES = process.allowedNodeEnvironmentFlags.has('--experimental-require-module') ? ['--no-experimental-require-module'] : []
const PROGRESS_EVERY_MS = 50
const TERMINATE_USER_CODE_AFTER_MS = 100
const TERMINATE_BUILT_IN_AFTER_MS = 5000

interface Waiting {
  readonly request: ComputeRequest
  readonly resolve: (reply: ComputeReply) => void
  readonly reject: (error: SweepmillError) => void
  stopListening: () => void
}

interface Running {
  readonly waiting: Waiting
  readonly dispatch: number
  readonly startedMs: number
  readonly terminate: AbortController
  lastDone: number
}

interface StartedThreads {
  readonly piscina: Piscina<ThreadRequest, ThreadReply>
  readonly scratch: ScratchFolder
  readonly recall: HandleRecall
}

export function createComputePool(options: ComputePoolOptions): ComputePool {
  return new PiscinaComputePool(options)
}

class PiscinaComputePool implements ComputePool {
  readonly threads: number
  readonly #clock: Clock
  readonly #options: ComputePoolOptions
  /** Started by the first step: a command that only looks at tasks needs no thread. */
  #started: StartedThreads | null = null
  readonly #block: ControlBlock
  readonly #line = new WaitingLine<Waiting>()
  readonly #shares: ThreadShares | null
  /** By slot. */
  readonly #running: (Running | null)[]
  readonly #startedAtMs: number
  #dispatches = 0
  #completed = 0
  #busyMs = 0
  #replaced = 0
  #stopProgress: (() => void) | null = null
  #closed = false

  constructor(options: ComputePoolOptions) {
    this.#options = options
    this.threads = options.threads
    this.#clock = options.clock
    this.#shares = options.weights === undefined || options.weights === null ? null : new ThreadShares(options.weights)
    this.#startedAtMs = options.clock.wallMs()
    this.#running = Array.from({ length: options.threads }, () => null)
    this.#block = new ControlBlock(options.threads)
  }

  run(request: ComputeRequest): Promise<ComputeReply> {
    if (this.#closed) return Promise.reject(new SweepmillError('WORKER_STOPPING', 'The threads are shutting down.'))
    if (request.signal?.aborted === true) return Promise.reject(cancelled(request))
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { request, resolve, reject, stopListening: () => undefined }
      const onAbort = (): void => this.#cancel(waiting)
      request.signal?.addEventListener('abort', onAbort, { once: true })
      waiting.stopListening = () => request.signal?.removeEventListener('abort', onAbort)
      this.#shares?.arrived(request.priority, PRIORITIES.filter((priority) => this.#line.count(priority) > 0), this.#clock.monotonicMs())
      this.#line.add(request.priority, request.user ?? '', waiting)
      this.#pump()
    })
  }

  stats(): PoolStats {
    const now = this.#clock.monotonicMs()
    const running = this.#running.filter((one) => one !== null)
    return {
      threads: this.threads, busy: running.length, completed: this.#completed, replacedThreads: this.#replaced, startedAtMs: this.#startedAtMs,
      waiting: { high: this.#line.count('high'), medium: this.#line.count('medium'), low: this.#line.count('low') },
      busyMs: running.reduce((sum, one) => sum + (now - one.startedMs), this.#busyMs),
    }
  }

  recall(dataHash: string): Promise<void> {
    return this.#closed || this.#started === null ? Promise.resolve() : this.#started.recall.recall(dataHash)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#started?.recall.close()
    for (const waiting of this.#line.drain()) {
      waiting.stopListening()
      waiting.reject(new SweepmillError('WORKER_STOPPING', 'The threads are shutting down.'))
    }
    this.#stopProgress?.()
    for (const thread of this.#started?.piscina.threads ?? []) insistOnEnd(thread, this.#clock)
    await this.#started?.piscina.destroy()
    this.#started?.scratch.remove()
  }

  #pump(): void {
    for (;;) {
      const slot = this.#running.indexOf(null)
      if (slot < 0) return
      const free = this.#running.filter((one) => one === null).length
      // An indivisible step below HIGH never takes the last thread: a HIGH one would have to wait for all of it.
      const next = this.#line.take((priority, { request }) => priority === 'high' || request.divisible || free > 1 || this.threads === 1,
        this.#shares?.order(this.#clock.monotonicMs()))
      if (next === null) return
      void this.#start(slot, next)
    }
  }

  async #start(slot: number, waiting: Waiting): Promise<void> {
    const { request } = waiting
    this.#dispatches += 1
    const running: Running = { waiting, dispatch: this.#dispatches, startedMs: this.#clock.monotonicMs(), terminate: new AbortController(), lastDone: -1 }
    this.#running[slot] = running
    const turn = this.#shares?.started(request.priority, running.startedMs)
    this.#block.begin(slot, running.dispatch)
    this.#watchProgress()
    try {
      const reply = await this.#dispatch(slot, running, request)
      if (reply.kind === 'failed') waiting.reject(SweepmillError.fromData(reply.error))
      else waiting.resolve(reply)
    } catch (thrown) {
      waiting.reject(this.#lost(thrown, request))
    } finally {
      this.#reportProgress(slot)
      waiting.stopListening()
      this.#completed += 1
      const endedMs = this.#clock.monotonicMs()
      this.#busyMs += endedMs - running.startedMs
      if (turn !== undefined) this.#shares?.ended(turn, endedMs)
      this.#running[slot] = null
      this.#pump()
    }
  }

  #dispatch(slot: number, running: Running, request: ComputeRequest): Promise<ThreadReply> {
    const bytes: Record<string, Uint8Array> = {}
    const moved: (ArrayBuffer | MessagePort)[] = []
    for (const [name, value] of Object.entries(request.bytes ?? {})) {
      // Else an exact copy: a view would drag its whole underlying buffer along, and the caller may use it again.
      const own = request.moves === true && value.byteLength === value.buffer.byteLength && value.buffer instanceof ArrayBuffer
      const copy = own ? new Uint8Array(value.buffer as ArrayBuffer) : new Uint8Array(value)
      bytes[name] = copy
      moved.push(copy.buffer)
    }
    if (request.port !== undefined) moved.push(request.port)
    const message: ThreadRequest = {
      call: encodeCall({ step: request.step, input: request.input, userCode: request.userCode }), bytes, shared: request.shared ?? {},
      port: request.port ?? null, cells: this.#block.buffer, slot, dispatch: running.dispatch,
    }
    return this.#piscina().run(message, { transferList: moved as never, signal: running.terminate.signal })
  }

  #piscina(): Piscina<ThreadRequest, ThreadReply> {
    if (this.#started !== null) return this.#started.piscina
    const { threads, niceness = 10, heapMb } = this.#options
    const scratch = new ScratchFolder()
    const recallChannel = `sweepmill recall ${newNonce()}`
    const piscina = new Piscina<ThreadRequest, ThreadReply>({
      filename: WORKER_FILE, minThreads: threads, maxThreads: threads, idleTimeout: Number.POSITIVE_INFINITY,
      // The default blocks a thread's own event loop between tasks, which steps that read from a port need.
      atomics: 'disabled', recordTiming: false,
      execArgv: [...process.execArgv, ...WITHOUT_REQUIRED_MODULES],
      workerData: { niceness, scratchFolder: scratch.path, recallChannel } satisfies ThreadOptions,
      ...(heapMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMb } }),
    })
    // A thread that dies while idle is replaced by Piscina; a step in it is rejected by its own promise.
    piscina.on('error', () => { this.#replaced += 1 })
    this.#started = { piscina, scratch, recall: new HandleRecall(recallChannel, this.#clock, () => piscina.threads.map(({ threadId }) => threadId)) }
    return piscina
  }

  #cancel(waiting: Waiting): void {
    if (this.#line.remove(waiting)) {
      waiting.stopListening()
      waiting.reject(cancelled(waiting.request))
      return
    }
    const slot = this.#running.findIndex((one) => one?.waiting === waiting)
    const running = this.#running[slot]
    if (running === null || running === undefined) return
    this.#block.cancel(slot, running.dispatch)
    this.#clock.after(waiting.request.userCode ? TERMINATE_USER_CODE_AFTER_MS : TERMINATE_BUILT_IN_AFTER_MS, () => {
      if (this.#running[slot] !== running) return
      this.#replaced += 1
      this.#terminate(running)
    })
  }

  #terminate(running: Running): void {
    const before = this.#started?.piscina.threads ?? []
    running.terminate.abort()
    const after = new Set(this.#started?.piscina.threads)
    for (const thread of before) if (!after.has(thread)) insistOnEnd(thread, this.#clock)
  }

  #lost(thrown: unknown, request: ComputeRequest): SweepmillError {
    if (thrown instanceof SweepmillError) return thrown
    if (request.signal?.aborted === true) return cancelled(request)
    if (this.#closed) return new SweepmillError('WORKER_STOPPING', 'The threads are shutting down.')
    this.#replaced += 1
    const { code, message } = thrown as { code?: string; message?: string }
    if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
      return new SweepmillError('OUT_OF_MEMORY', `The step ${request.step} needs more heap than a thread has. Raise THREAD_HEAP_MB, or make the task smaller.`, { cause: thrown })
    }
    return toSweepmillError(new SweepmillError('THREAD_LOST', `The thread that ran ${request.step} died: ${message ?? 'no reason given'}.`, { cause: thrown }))
  }

  /** Polls the cells only while somebody listens. */
  #watchProgress(): void {
    if (this.#stopProgress !== null || !this.#running.some((one) => one?.waiting.request.onProgress !== undefined)) return
    this.#stopProgress = this.#clock.every(PROGRESS_EVERY_MS, () => {
      let listened = false
      this.#running.forEach((one, slot) => {
        if (one?.waiting.request.onProgress === undefined) return
        listened = true
        this.#reportProgress(slot)
      })
      if (!listened) {
        this.#stopProgress?.()
        this.#stopProgress = null
      }
    })
  }

  #reportProgress(slot: number): void {
    const running = this.#running[slot]
    if (running === null || running === undefined) return
    const progress = this.#block.progress(slot, running.dispatch)
    if (progress === null || progress.done === running.lastDone) return
    running.lastDone = progress.done
    running.waiting.request.onProgress?.(progress.done, progress.total)
  }
}

function cancelled(request: ComputeRequest): SweepmillError {
  return new SweepmillError('TASK_CANCELLED', `The step ${request.step} was cancelled.`)
}
