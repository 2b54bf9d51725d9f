/** The ports of the faces in memory: enough of the rules for the HTTP tests to mean something. */
import { SweepmillError } from '../../../src/base/errors.js'
import { beginScan, endScan } from '../../../src/market/quality.js'
import { parseTimeframe } from '../../../src/market/timeframe.js'
import type { ByteSink, TableFormat } from '../../../src/base/table-format.js'
import type { BarCounts, SeriesDesk } from '../../../src/tasks/bar-series.js'
import type {
  ArtifactKind, Backend, DeadLetters, ProgressView, QuarantineView, QueueStatsView, Sagas, Schedules, ScheduleView, Strategies, StrategyView, SubmitRequest, Submitted, TaskEventView, TaskQuery, TaskView,
} from '../../../src/tasks/backend.js'
import type { DeadLetterFilter } from '../../../src/tasks/dead-letters.js'
import { builtinStrategies, describeStrategy } from '../../../src/engine/index.js'
import type { PauseBook } from '../../../src/tasks/pause-book.js'
import { defaultPriority, isFinal, PRIORITIES, TASK_DEFAULTS } from '../../../src/tasks/task.js'
import type { Checkpoint, TaskPriority } from '../../../src/tasks/task.js'
import { healthReport } from '../../../src/telemetry/health.js'
import type { HealthReport } from '../../../src/telemetry/health.js'

export class MemoryBackend implements Backend<HealthReport> {
  readonly requests: SubmitRequest[] = []
  readonly queries: TaskQuery[] = []
  readonly rows = new Map<string, TaskView>()
  running = true
  /** Thrown by the next submit. */
  refusal: Error | null = null

  /** None was parked, and none is looked for over HTTP. */
  readonly sagas: Sagas = {
    list: () => Promise.resolve([]), ofTask: () => Promise.resolve([]),
    resume: () => Promise.reject(new SweepmillError('TASK_NOT_FOUND', 'No saga.')), skip: () => Promise.reject(new SweepmillError('TASK_NOT_FOUND', 'No saga.')),
  }

  submit(request: SubmitRequest): Promise<Submitted> {
    if (this.refusal !== null) return Promise.reject(this.refusal)
    this.requests.push(request)
    const taskId = `01900000-0000-7000-8000-${String(this.rows.size + 1).padStart(12, '0')}`
    this.rows.set(taskId, {
      task_id: taskId, task_type: request.taskType, priority: request.priority ?? defaultPriority(request.taskType, request.notBefore !== undefined),
      status: 'pending', name: request.name ?? null, tags: request.tags ?? [], user_id: request.userId ?? null, ip_address: request.ipAddress ?? null, data: request.data, result: null, error: null,
      attempt: 0, retry_count: 0, max_retries: request.maxRetries ?? TASK_DEFAULTS.maxRetries,
      timeout: request.timeoutSeconds ?? TASK_DEFAULTS.timeoutSeconds, generation: 1, created_at: '2025-11-05T17:00:00Z', not_before: request.notBefore ?? null, deadline_at: request.deadlineAt ?? null, started_at: null,
      completed_at: null, processing_time_ms: null, progress: null,
    })
    return Promise.resolve({ taskId, created: true })
  }

  set(taskId: string, change: Partial<TaskView>): TaskView {
    const row = this.rows.get(taskId)
    if (row === undefined) throw new SweepmillError('TASK_NOT_FOUND', `No task has the id "${taskId}".`)
    const changed = { ...row, ...change }
    this.rows.set(taskId, changed)
    return changed
  }

  async task(taskId: string): Promise<TaskView> { return this.set(taskId, {}) }

  tasks(query: TaskQuery): Promise<readonly TaskView[]> {
    this.queries.push(query)
    const all = [...this.rows.values()].reverse()
    return Promise.resolve(all.filter((row) => query.status === undefined || row.status === query.status).slice(0, query.limit))
  }

  async cancel(taskId: string): Promise<TaskView> {
    const row = await this.task(taskId)
    if (isFinal(row.status)) throw new SweepmillError('STATE_CONFLICT', `The task is ${row.status}.`)
    return this.set(taskId, { status: 'cancelled' })
  }

  async retry(taskId: string): Promise<TaskView> {
    const row = await this.task(taskId)
    if (!isFinal(row.status)) throw new SweepmillError('STATE_CONFLICT', `The task is ${row.status}.`)
    return this.set(taskId, { status: 'pending', generation: row.generation + 1 })
  }

  readonly named = new Map<string, ScheduleView>()
  readonly series: SeriesDesk = {
    add: async (key, files) => {
      const counts: BarCounts[] = []
      for await (const { facts } of 'months' in files ? [files] : files) {
        this.imported.push(`${key.exchange} ${key.symbol} ${key.timeframe}`)
        counts.push({ added: (await facts).bars, replaced: 0, same: 0 })
      }
      return { added: counts.reduce((sum, { added }) => sum + added, 0), replaced: 0, same: 0, files: counts, changed: [], revision: null }
    },
    check: ({ timeframe }) => Promise.resolve(endScan(beginScan(), parseTimeframe(timeframe), 0)),
    list: () => Promise.resolve([]),
    show: ({ exchange, symbol, timeframe }) => Promise.resolve({ exchange, symbol, timeframe, bars: 0, first_time: null, last_time: null, months: [], quality: null }),
    export: async (_, format, write) => {
      await write(new TextEncoder().encode(`${JSON.stringify(format)}\n`))
      return { bars: 1, notes: [] }
    },
    history: () => Promise.resolve([]),
    restore: (_, revision) => Promise.resolve({ revision: revision + 1, bars: 0, months_changed: 0 }),
    remove: () => Promise.resolve({ revision: 2, bars: 0, months_changed: 1 }),
    repair: async (key) => ({ filled: 7, quality: await this.series.check(key) }),
  }

  readonly imported: string[] = []

  readonly schedules: Schedules = {
    add: (name, times, request) => {
      const added = {
        name, cron: times.cron, time_zone: times.timeZone, task_type: request.taskType, priority: request.priority ?? 'medium', enabled: true,
        next_fire_at: '2030-01-01T00:00:00.000Z', last_fire_at: null, last_task_id: null, data: request.data,
      }
      this.named.set(name, added)
      return Promise.resolve(added)
    },
    list: () => Promise.resolve([...this.named.values()]),
    remove: async (name) => { if (!this.named.delete(name)) throw new SweepmillError('SCHEDULE_NOT_FOUND', name) },
    setEnabled: async (name, enabled) => {
      const one = this.named.get(name)
      if (one === undefined) throw new SweepmillError('SCHEDULE_NOT_FOUND', name)
      this.named.set(name, { ...one, enabled, next_fire_at: enabled ? one.next_fire_at : null })
    },
  }

  readonly stored: StrategyView[] = []
  readonly strategies: Strategies = {
    list: () => Promise.resolve({ built_in: [...builtinStrategies.values()].map(describeStrategy), stored: this.stored }),
    add: ({ name, strategy, params, source }) => {
      const added = { strategy_id: this.stored.length + 1, name, strategy, version: 1, params, source_hash: source?.hash ?? null, created_at: '2025-11-05T17:00:00.000Z' }
      this.stored.push(added)
      return Promise.resolve({ ...added, created: true })
    },
    show: async (id) => {
      const one = this.stored.find((each) => String(each.strategy_id) === id)
      if (one === undefined) throw new SweepmillError('STRATEGY_UNKNOWN', id)
      return { ...one, ranges: null, versions: [one] }
    },
  }

  #paused: readonly TaskPriority[] = []
  readonly pauses: PauseBook = {
    paused: () => Promise.resolve(this.#paused),
    pause: (some) => { this.#paused = PRIORITIES.filter((one) => some.includes(one) || this.#paused.includes(one)); return this.pauses.paused() },
    resume: (some) => { this.#paused = this.#paused.filter((one) => !some.includes(one)); return this.pauses.paused() },
  }

  readonly deadLetters: DeadLetters = {
    list: (filter) => Promise.resolve(this.#dead(filter).map((row) => ({
      task_id: row.task_id, task_type: row.task_type, priority: row.priority, user_id: row.user_id, reason: 'retries_exhausted',
      error: row.error ?? { code: 'THREAD_LOST', message: 'gone' }, attempts: row.attempt, generation: row.generation, input_hash: 'h', message_id: null,
      created_at: row.created_at, first_failure_at: row.created_at, last_failure_at: row.created_at,
    }))),
    redrive: (filter, dryRun) => Promise.resolve(this.#dead(filter).map((row) => {
      if (!dryRun) this.set(row.task_id, { status: 'pending', generation: row.generation + 1 })
      return row.task_id
    })),
    purge: (filter, dryRun) => Promise.resolve(this.#dead(filter).map((row) => {
      if (!dryRun) this.rows.delete(row.task_id)
      return row.task_id
    })),
    quarantine: ({ limit }) => Promise.resolve(this.quarantined.slice(0, limit)),
  }

  quarantined: readonly QuarantineView[] = []

  /** Latest first; all failed at the same time, so that the id alone decides. */
  #dead({ taskIds, type, after, limit }: DeadLetterFilter): TaskView[] {
    return [...this.rows.values()].reverse().filter((row) => row.status === 'dead_letter'
      && (taskIds === undefined || taskIds.includes(row.task_id)) && (type === undefined || row.task_type === type)
      && (after === undefined || row.task_id < after.taskId)).slice(0, limit)
  }

  wait(taskId: string, _onProgress?: (view: ProgressView) => void): Promise<TaskView> { return this.task(taskId) }
  async events(taskId: string): Promise<readonly TaskEventView[]> { await this.task(taskId); return [] }
  async checkpoints(taskId: string): Promise<readonly Checkpoint[]> {
    await this.task(taskId)
    return [{ step: 'fetch_data', data: { bars: 5105 }, timestamp: '2025-11-05T17:00:01Z' }]
  }

  artifact(_taskId: string, _kind: ArtifactKind): Promise<Uint8Array | null> { return Promise.resolve(null) }
  exportTrials(): Promise<void> { return Promise.resolve() }

  async exportTable(taskId: string, kind: 'trades' | 'equity', _format: TableFormat, write: ByteSink): Promise<boolean> {
    const bytes = await this.artifact(taskId, kind)
    if (bytes !== null) await write(bytes)
    return bytes !== null
  }
  queueStats(): Promise<QueueStatsView> { return Promise.reject(new Error('not asked over HTTP')) }

  health(): Promise<HealthReport> {
    return Promise.resolve(healthReport({
      workerName: 'w', consumerName: 'w-0', running: this.running, depths: { high: 0, medium: 0, low: 0 },
      totals: { enqueued: 0, dequeued: 0, completed: 0, failed: 0, cancelled: 0, recovered: 0 }, threads: { total: 2, busy: 0, stuck: 0, replaced: 0 },
      eventLoopDelay: { p50: 0, p99: 0, max: 0 }, paused: this.#paused, handedBack: {}, redisUp: true, postgresUp: true, troubles: [], wallMs: 0,
    }))
  }

  ready(): Promise<boolean> { return Promise.resolve(this.running) }
}
