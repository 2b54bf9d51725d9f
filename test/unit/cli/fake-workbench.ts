/** A workbench over the in-memory backend: a command's whole way without a service or a thread. */
import { Readable } from 'node:stream'
import type { MigrationView, OpenWorkbench, Role, Workbench } from '../../../src/cli/session.js'
import type { StrategyCheck } from '../../../src/engine/index.js'
import type { StrategyCheckRequest } from '../../../src/runtime/strategy-check.js'
import type { StrategyFileView } from '../../../src/runtime/strategy-files.js'
import type { ArtifactKind, Backend, ProgressView, QueueStatsView, StrategyRequest, SubmitRequest, Submitted, TaskView } from '../../../src/tasks/backend.js'
import type { SeriesFile } from '../../../src/tasks/bar-series.js'
import type { StrategyDraft } from '../../../src/tasks/strategy-book.js'
import type { HealthReport } from '../../../src/telemetry/health.js'
import { MemoryBackend } from '../http/memory-backend.js'

/** What the tests turn. */
interface Script {
  readonly calls: string[]
  /** Thrown by `check`. */
  refusal: Error | null
  /** What a submitted task becomes. */
  outcome: Partial<TaskView>
  /** True: `wait` lasts until a signal, which it sends itself. */
  endless: boolean
  /** Who works. */
  workers: readonly { readonly role: 'worker' | 'session'; readonly silent_ms: number }[]
}

class ScriptedBackend extends MemoryBackend {
  readonly #script: Script

  constructor(script: Script) {
    super()
    this.#script = script
  }

  override async wait(taskId: string, onProgress?: (view: ProgressView) => void, signal?: AbortSignal): Promise<TaskView> {
    this.#script.calls.push('wait')
    onProgress?.({ status: 'processing', step: 'run_chunks', done: 10, total: 100, threads: { total: 4, busy: 4 } })
    if (this.#script.endless) {
      await new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => { reject(signal.reason as Error) })
        process.kill(process.pid, 'SIGINT')
      })
    }
    return this.set(taskId, this.#script.outcome)
  }

  override artifact(_taskId: string, kind: ArtifactKind): Promise<Uint8Array | null> {
    return Promise.resolve(new TextEncoder().encode(kind === 'ranking' ? JSON.stringify({ top: [{ trial: 7 }, { trial: 9 }] }) : `${kind}\n`))
  }

  override async exportTrials(_taskId?: string, write?: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    for (const line of ['trial,fast\n', '0,5\n']) await write?.(new TextEncoder().encode(line))
  }

  override queueStats(): Promise<QueueStatsView> {
    return Promise.resolve({
      priorities: { high: { waiting: 1, in_flight: 2, paused: false }, medium: { waiting: 0, in_flight: 0, paused: false }, low: { waiting: 3, in_flight: 4, paused: true } },
      delayed: 5, dead_letters: 6,
      workers: this.#script.workers.map((one) => ({ id: 'w-1', worker_name: 'w', host: 'h', pid: 1, threads: 2, ...one })),
    })
  }
}

export class FakeWorkbench implements Workbench, Script {
  readonly threads = 4
  readonly calls: string[] = []
  readonly checked: SubmitRequest[] = []
  refusal: Error | null = null
  outcome: Partial<TaskView> = { status: 'completed', result: {}, processing_time_ms: 1234 }
  endless = false
  workers: Script['workers'] = [{ role: 'worker', silent_ms: 100 }]
  readonly backend: MemoryBackend = new ScriptedBackend(this)

  open: OpenWorkbench = () => {
    this.calls.push('open')
    return Promise.resolve(this)
  }

  busyMs(): number { return 0 }

  check(request: SubmitRequest): Promise<void> {
    this.calls.push('check')
    this.checked.push(request)
    return this.refusal === null ? Promise.resolve() : Promise.reject(this.refusal)
  }

  readBars(file: string): SeriesFile {
    this.calls.push(`read ${file}`)
    const facts = this.refusal === null ? Promise.resolve({ bars: 0, months: 0, warnings: [], notes: [] }) : Promise.reject(this.refusal)
    facts.catch(() => undefined)
    return { name: file, months: Readable.from([]), begun: facts, facts }
  }

  draftStrategy({ strategy, name, params }: StrategyRequest): Promise<StrategyDraft> {
    this.calls.push('draft')
    return this.refusal === null ? Promise.resolve({ name: name ?? strategy, strategy, params: params as Record<string, number>, source: null }) : Promise.reject(this.refusal)
  }

  files: StrategyFileView[] = []
  strategyFiles(): Promise<StrategyFileView[]> { return Promise.resolve(this.files) }

  checkStrategy({ strategy, params, files }: StrategyCheckRequest): Promise<StrategyCheck> {
    this.calls.push(`check ${strategy} ${files.join(' ')}`)
    return Promise.resolve({ strategy, params: params as Record<string, number>, bars: 1, passed: true, checks: [], warnings: [] })
  }

  connect(role: Role): Promise<Backend<HealthReport>> {
    this.calls.push(`connect ${role}`)
    return Promise.resolve(this.backend)
  }

  submit(request: SubmitRequest): Promise<Submitted> { return this.backend.submit(request) }

  migrate(): Promise<MigrationView> {
    return Promise.resolve({
      applied: ['0001_first', '0002_next'], tables: [{ name: 'tasks', columns: ['task_id', 'status'] }, { name: 'sweeps', columns: ['sweep_id', 'top'] }],
      changes: [{ name: 'tasks', created: true, columns: ['task_id', 'status'] }, { name: 'sweeps', created: false, columns: ['top'] }],
    })
  }

  close(): Promise<void> {
    this.calls.push('close')
    return Promise.resolve()
  }
}
