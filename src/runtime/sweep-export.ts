/** What a finished task can be turned into: CSV files and the HTML report. All of it is written in threads. */
import { MessageChannel } from 'node:worker_threads'
import { SweepmillError } from '../base/errors.js'
import type { ArtifactStore, BarArchive } from '../tasks/bar-archive.js'
import type { BarStore } from '../tasks/bar-store.js'
import type { ComputePool, ComputeReply, ComputeRequest } from '../tasks/compute-pool.js'
import type { SweepStore } from '../tasks/sweep-store.js'
import type { TaskRecord } from '../tasks/task-store.js'
import { TaskType } from '../tasks/task.js'
import { servePages } from '../workflows/optimization.js'

const PAGE_BYTES = 4 * 1024 * 1024

export interface SweepExportParts {
  readonly pool: ComputePool
  readonly bars: BarStore
  readonly archive: BarArchive
  readonly artifacts: ArtifactStore
  readonly sweeps: SweepStore
}

export class SweepExport {
  readonly #parts: SweepExportParts

  constructor(parts: SweepExportParts) {
    this.#parts = parts
  }

  /** The HTML report, or null for a task without one. */
  async report(task: TaskRecord): Promise<Uint8Array | null> {
    const isSweep = task.taskType === TaskType.OPTIMIZATION
    if (!isSweep && task.taskType !== TaskType.BACKTEST) return null
    const bytes: Record<string, Uint8Array> = {}
    for (const kind of isSweep ? ['ranking', 'equity', 'trades'] : ['equity', 'trades']) {
      const found = await this.#parts.artifacts.get(task.taskId, kind)
      if (found !== null) bytes[kind] = found
    }
    // A sweep in which no trial has a value of the objective has a ranking, but no best trial's equity.
    if (bytes[isSweep ? 'ranking' : 'equity'] === undefined) return null
    const step = isSweep ? 'render_sweep_report' : 'render_backtest_report'
    // The strategy says once more which indicators it looked at.
    const reply = await this.#withBars(task, (shared) => this.#withSource(task, (code) => this.#run(step,
      { spec: task.data, result: task.result, task_id: task.taskId }, { bytes: isSweep ? bytes : { ...bytes, ...code }, shared, userCode: !isSweep && 'code' in code })))
    return reply.bytes['html'] ?? null
  }

  /** `bar,time,equity` of a backtest, or of the best trial of a sweep. */
  async equityCsv(task: TaskRecord): Promise<Uint8Array | null> {
    const equity = await this.#parts.artifacts.get(task.taskId, 'equity')
    if (equity === null) return null
    const reply = await this.#run('equity_csv', {}, { bytes: { equity } })
    return reply.bytes['csv'] ?? null
  }

  /** All trials in index order, header first; memory stays at one page. */
  async trialsCsv(task: TaskRecord, write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    if (task.taskType !== TaskType.OPTIMIZATION) throw new SweepmillError('SWEEP_NOT_FOUND', `Task ${task.taskId} is not a sweep and has no trials.`)
    await this.#refuseCleaned(task)
    const { port1, port2 } = new MessageChannel()
    let writing: Promise<void> = Promise.resolve()
    port1.on('message', (message: { type: string; bytes?: Uint8Array }) => {
      const { bytes } = message
      if (message.type === 'csv' && bytes !== undefined) writing = writing.then(() => write(bytes))
    })
    // The next page is only handed out once the file has taken what came of the last one.
    const paced = async function* paced(pages: AsyncIterable<readonly Uint8Array[]>): AsyncGenerator<readonly Uint8Array[]> {
      for await (const page of pages) {
        await writing
        yield page
      }
    }
    try {
      await Promise.all([
        this.#withSource(task, (bytes) => this.#run('export_trials', { spec: task.data }, { port: port2, bytes })),
        servePages(port1, paced(this.#parts.sweeps.pages(task.taskId, PAGE_BYTES))),
      ])
      await writing
    } finally {
      port1.close()
    }
  }

  /** A cleanup removes the rows of old sweeps: a file without them must not look like a sweep without trials. */
  async #refuseCleaned({ taskId, result }: TaskRecord): Promise<void> {
    const { trials } = (result ?? {}) as { trials?: number }
    if (trials === undefined || (await this.#parts.sweeps.finished(taskId)).trials >= trials) return
    throw new SweepmillError('SWEEP_NOT_FOUND', `The trials of sweep ${taskId} were removed by a cleanup; its best ones and its result hash are in its result. Run it again to have all of them.`, { details: { task_id: taskId } })
  }

  async #withSource<T>(task: TaskRecord, run: (bytes: Record<string, Uint8Array>) => Promise<T>): Promise<T> {
    const hash = task.data['strategy_hash']
    const code = typeof hash === 'string' ? await this.#parts.archive.loadSource(hash) : null
    return run(code === null ? {} : { code })
  }

  async #withBars<T>(task: TaskRecord, run: (shared: Record<string, SharedArrayBuffer>) => Promise<T>): Promise<T> {
    const lease = await this.#parts.bars.acquire(String(task.data['data_hash']))
    try {
      return await run({ bars: lease.buffer })
    } finally {
      lease.release()
    }
  }

  #run(step: string, input: unknown, rest: Pick<ComputeRequest, 'bytes' | 'shared' | 'port'> & { readonly userCode?: boolean }): Promise<ComputeReply> {
    return this.#parts.pool.run({ step, input, userCode: false, ...rest, priority: 'high', divisible: false })
  }
}
