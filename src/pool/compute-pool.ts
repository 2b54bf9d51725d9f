/**
 * CPU-bound steps in Piscina's threads, behind a waiting line of our own.
 *
 * At most one step per thread is handed to Piscina. A cancelled step gets its cancel cell set; if it does not end
 * by itself (user code after 100 ms, built-in code after 5 s) its thread is terminated and replaced. So is the thread of
 * a step that gives no sign of life for as long as it may; a step that its thread never began runs on another one. Threads
 * run at a lower priority than the main thread, so leases are renewed however busy they are.
 */
import type { MessagePort } from 'node:worker_threads'
import type { Clock } from '../base/clock.js'
import { SweepmillError } from '../base/errors.js'
import type { ComputePool, ComputeReply, ComputeRequest, PoolStats } from '../tasks/compute-pool.js'
import { PRIORITIES } from '../tasks/task.js'
import type { PriorityWeights } from '../tasks/task.js'
import { ControlBlock } from './control-block.js'
import { encodeCall } from './protocol.js'
import type { ThreadReply, ThreadRequest } from './protocol.js'
import { startThreads } from './started-threads.js'
import type { StartedThreads } from './started-threads.js'
import { SilenceWatch } from './silence-watch.js'
import { cancelledStep, endedStep, neverBegun, noThreads, stalledStep, stoppingPool } from './step-errors.js'
import { insistOnEnd } from './thread-end.js'
import { ThreadShares } from './thread-shares.js'
import { whatMayRun } from './what-may-run.js'
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
  /** How long a step may give no sign of life where it does not say so itself; default `STALL_MS`. */
  readonly stallMs?: number
}

/** Ten seconds of work at a thousandth of a core: steps of ours give a sign of life every 50 ms. */
export const STALL_MS = 60_000

const PROGRESS_EVERY_MS = 50
const TERMINATE_USER_CODE_AFTER_MS = 100
const TERMINATE_BUILT_IN_AFTER_MS = 5000
/** So often a step that no thread began is given to another one. */
const MOST_STARTS = 3

interface Waiting {
  readonly request: ComputeRequest
  readonly resolve: (reply: ComputeReply) => void
  readonly reject: (error: SweepmillError) => void
  stopListening: () => void
  starts: number
}

interface Running {
  readonly waiting: Waiting
  readonly dispatch: number
  readonly startedMs: number
  readonly terminate: AbortController
  lastDone: number
  /** Why its thread was ended for its silence. */
  silence: 'never begun' | 'stalled' | null
  /** Why there is none to run it in. */
  noThreads?: SweepmillError
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
  readonly #silence: SilenceWatch
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
    this.#silence = new SilenceWatch(options.clock, options.stallMs ?? STALL_MS)
    this.#shares = options.weights === undefined || options.weights === null ? null : new ThreadShares(options.weights)
    this.#startedAtMs = options.clock.wallMs()
    this.#running = Array.from({ length: options.threads }, () => null)
    this.#block = new ControlBlock(options.threads)
  }

  run(request: ComputeRequest): Promise<ComputeReply> {
    if (this.#closed) return Promise.reject(stoppingPool())
    if (request.signal?.aborted === true) return Promise.reject(cancelledStep(request))
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { request, resolve, reject, stopListening: () => undefined, starts: 0 }
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
      threads: this.threads, busy: running.length, stuck: this.#silence.stuck(), completed: this.#completed, replacedThreads: this.#replaced, startedAtMs: this.#startedAtMs,
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
      waiting.reject(stoppingPool())
    }
    this.#stopProgress?.()
    this.#silence.close()
    for (const thread of this.#started?.piscina.threads ?? []) insistOnEnd(thread, this.#clock)
    await this.#started?.piscina.destroy()
  }

  #pump(): void {
    for (;;) {
      const slot = this.#running.indexOf(null)
      if (slot < 0) return
      const mayRun = whatMayRun(this.threads, this.#running.flatMap((one) => (one === null ? [] : [one.waiting.request])))
      const next = this.#line.take((priority, { request }) => mayRun(priority, request), this.#shares?.order(this.#clock.monotonicMs()))
      if (next === null) return
      void this.#start(slot, next)
    }
  }

  async #start(slot: number, waiting: Waiting): Promise<void> {
    const { request } = waiting
    this.#dispatches += 1
    const running: Running = { waiting, dispatch: this.#dispatches, startedMs: this.#clock.monotonicMs(), terminate: new AbortController(), lastDone: -1, silence: null }
    this.#running[slot] = running
    waiting.starts += 1
    let again = false
    const turn = this.#shares?.started(request.priority, running.startedMs)
    this.#block.begin(slot, running.dispatch)
    const unwatch = this.#silence.add({
      mostSilentMs: this.#mostSilentMs(request), beats: () => this.#block.beats(slot), onSilent: (begun) => { this.#giveUp(running, begun) },
      // It may be for a thread that starts, which takes a second, and long on a busy machine.
      waits: () => this.#block.beats(slot) === 0 && this.#started?.recall.allListen() !== true,
    })
    this.#watchProgress()
    try {
      const reply = await this.#dispatch(slot, running, request)
      if (reply.kind === 'failed') waiting.reject(SweepmillError.fromData(reply.error))
      else waiting.resolve(reply)
    } catch (thrown) {
      again = running.silence === 'never begun' && waiting.starts < MOST_STARTS && canStartAgain(request) && request.signal?.aborted !== true && !this.#closed
      if (!again) waiting.reject(running.noThreads ?? this.#lost(thrown, running))
    } finally {
      unwatch()
      this.#reportProgress(slot)
      if (!again) waiting.stopListening()
      this.#completed += again ? 0 : 1
      const endedMs = this.#clock.monotonicMs()
      this.#busyMs += endedMs - running.startedMs
      if (turn !== undefined) this.#shares?.ended(turn, endedMs)
      this.#running[slot] = null
      if (again) this.#line.add(request.priority, request.user ?? '', waiting)
      this.#pump()
    }
  }

  #mostSilentMs({ stallMs = this.#options.stallMs ?? STALL_MS }: ComputeRequest): number { return stallMs }

  #giveUp(running: Running, begun: boolean): void {
    running.silence = begun ? 'stalled' : 'never begun'
    this.#replaced += 1
    this.#terminate(running)
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
      call: encodeCall({ step: request.step, input: request.input }), bytes, shared: request.shared ?? {},
      port: request.port ?? null, cells: this.#block.buffer, slot, dispatch: running.dispatch,
    }
    return this.#threads().piscina.run(message, { transferList: moved as never, signal: running.terminate.signal })
  }

  #threads(): StartedThreads {
    if (this.#started !== null) return this.#started
    const started = startThreads(this.#options, (error, threadsLeft) => {
      this.#replaced += 1
      if (threadsLeft === 0 && this.#started === started) this.#startOver(started, error)
    })
    this.#started = started
    return started
  }

  /**
   * A thread that could not start, for want of files or memory, is not replaced any more by Piscina, and without any thread
   * what was handed to it would wait for ever. The steps are given back, and the next one starts all threads anew.
   */
  #startOver(failed: StartedThreads, cause: unknown): void {
    if (this.#closed) return
    this.#started = null
    for (const running of this.#running) {
      if (running === null) continue
      running.noThreads = noThreads(cause)
      running.terminate.abort()
    }
    failed.recall.close()
    void failed.piscina.destroy()
  }

  #cancel(waiting: Waiting): void {
    if (this.#line.remove(waiting)) {
      waiting.stopListening()
      waiting.reject(cancelledStep(waiting.request))
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

  #lost(thrown: unknown, { waiting: { request }, silence }: Running): SweepmillError {
    if (thrown instanceof SweepmillError) return thrown
    if (request.signal?.aborted === true) return cancelledStep(request)
    if (this.#closed) return stoppingPool()
    if (silence === 'stalled') return stalledStep(request, this.#mostSilentMs(request))
    if (silence !== null) return neverBegun(request)
    this.#replaced += 1
    return endedStep(request, thrown)
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

/** What was moved to a thread is gone with it. */
function canStartAgain({ port, moves }: ComputeRequest): boolean {
  return port === undefined && moves !== true
}
