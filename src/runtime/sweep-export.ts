/** What a finished task can be turned into: tables and the HTML report. All of it is written in threads. */
import { SweepmillError } from '../base/errors.js'
import type { ArtifactStore, BarArchive } from '../tasks/bar-archive.js'
import type { BarStore } from '../tasks/bar-store.js'
import type { ComputePool, ComputeReply, ComputeRequest } from '../tasks/compute-pool.js'
import type { SweepStore } from '../tasks/sweep-store.js'
import type { TaskRecord } from '../tasks/task-store.js'
import { TaskType } from '../tasks/task.js'
import { CSV } from '../base/table-format.js'
import type { ByteSink, TableFormat } from '../base/table-format.js'
import { streamTable } from './table-stream.js'

const PAGE_BYTES = 4 * 1024 * 1024
/** Whole pairs of doubles. */
const EQUITY_PAGE_BYTES = 2 ** 20

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
    const parts: Uint8Array[] = []
    const found = await this.table(task, 'equity', CSV, (bytes) => { parts.push(bytes); return Promise.resolve() })
    return found ? Buffer.concat(parts) : null
  }

  /** False where the task has none. */
  async table(task: TaskRecord, kind: 'trades' | 'equity', format: TableFormat, write: ByteSink): Promise<boolean> {
    const bytes = await this.#parts.artifacts.get(task.taskId, kind)
    if (bytes === null) return false
    // Trades are kept as CSV.
    if (kind === 'trades' && format.kind === 'csv' && !format.gzip) await write(bytes)
    else if (kind === 'trades') await streamTable(this.#parts.pool, { step: 'export_trades', bytes: { head: firstLine(bytes) }, pages: onePage(bytes) }, format, write)
    else await streamTable(this.#parts.pool, { step: 'export_equity', pages: slices(bytes, EQUITY_PAGE_BYTES) }, format, write)
    return true
  }

  /** All trials in index order; memory stays at one page. */
  async trials(task: TaskRecord, format: TableFormat, write: ByteSink): Promise<void> {
    if (task.taskType !== TaskType.OPTIMIZATION) throw new SweepmillError('SWEEP_NOT_FOUND', `Task ${task.taskId} is not a sweep and has no trials.`)
    await this.#refuseCleaned(task)
    await this.#withSource(task, (bytes) => streamTable(this.#parts.pool,
      { step: 'export_trials', input: { spec: task.data }, bytes, pages: this.#parts.sweeps.pages(task.taskId, PAGE_BYTES) }, format, write))
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

function firstLine(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0x0a)
  return bytes.slice(0, end < 0 ? bytes.length : end + 1)
}

async function* onePage(bytes: Uint8Array): AsyncGenerator<readonly Uint8Array[]> {
  yield [bytes]
}

async function* slices(bytes: Uint8Array, sizeBytes: number): AsyncGenerator<readonly Uint8Array[]> {
  for (let at = 0; at < bytes.length; at += sizeBytes) yield [bytes.slice(at, at + sizeBytes)]
}
