/**
 * How a runtime is, at the moment of a probe: its servers are tried with what tasks need of them, each for a few seconds
 * at most, because a monitor gives no more.
 */
import type { Clock } from '../base/clock.js'
import { SweepmillError, toSweepmillError } from '../base/errors.js'
import type { RedisTaskStream } from '../queue/redis-task-stream.js'
import type { Postgres } from '../store/postgres.js'
import type { PostgresSweepStore } from '../store/sweep-store.js'
import type { ComputePool } from '../tasks/compute-pool.js'
import type { TaskPriority } from '../tasks/task.js'
import type { PauseGate } from './pause-gate.js'
import type { TaskWorker } from './task-worker.js'

/** What a health report is made of. Services that do not answer are null or false. */
export interface RuntimeReading {
  readonly consumerName: string
  readonly running: boolean
  readonly depths: Readonly<Record<TaskPriority, number>> | null
  /** They answer and can do what tasks need of them. */
  readonly redisUp: boolean
  readonly postgresUp: boolean
  /** What is wrong with the two, and what to change, in sentences. */
  readonly troubles: readonly string[]
  /** Priorities that nobody picks; null where Postgres does not answer. */
  readonly paused: readonly TaskPriority[] | null
  /** Pending sweeps that wait for a worker of the engine that began them, by engine; null where Postgres does not answer. */
  readonly handedBack: Readonly<Record<string, number>> | null
  readonly threads: { readonly total: number; readonly busy: number; readonly stuck: number; readonly replaced: number; readonly busyMs: number }
  readonly wallMs: number
}

/** A server that says nothing for so long is down to a probe. */
const PROBE_MS = 3000

interface ReadingParts {
  readonly postgres: Postgres
  readonly stream: RedisTaskStream
  readonly sweeps: PostgresSweepStore
  readonly gate: PauseGate
  readonly pool: ComputePool
  readonly clock: Clock
  readonly worker: TaskWorker
}

export async function readRuntime({ postgres, stream, gate, sweeps, pool, clock, worker }: ReadingParts): Promise<RuntimeReading> {
  const wait = new AbortController()
  const late = clock.sleep(PROBE_MS, wait.signal)
  const soon = async <T>(code: 'REDIS_UNAVAILABLE' | 'POSTGRES_UNAVAILABLE', work: Promise<T>): Promise<T> => Promise.race([work, late.then((): never => {
    throw new SweepmillError(code, `${code === 'REDIS_UNAVAILABLE' ? 'Redis' : 'Postgres'} said nothing for ${PROBE_MS} ms.`)
  })])
  const [depths, serving, paused, writable, handedBack] = await Promise.allSettled([
    soon('REDIS_UNAVAILABLE', stream.depths()), soon('REDIS_UNAVAILABLE', stream.serving()),
    soon('POSTGRES_UNAVAILABLE', gate.paused()), soon('POSTGRES_UNAVAILABLE', postgres.writable()), soon('POSTGRES_UNAVAILABLE', sweeps.handedBack()),
  ])
  wait.abort()
  const refused = [serving, writable].flatMap((one) => (one.status === 'rejected' ? [toSweepmillError(one.reason).message] : []))
  const stats = pool.stats()
  return {
    consumerName: stream.consumer,
    running: worker.running,
    depths: depths.status === 'fulfilled' ? depths.value : null,
    redisUp: depths.status === 'fulfilled' && serving.status === 'fulfilled',
    postgresUp: paused.status === 'fulfilled' && writable.status === 'fulfilled',
    troubles: serving.status === 'fulfilled' && serving.value !== null ? [...refused, serving.value] : refused,
    paused: paused.status === 'fulfilled' ? paused.value : null,
    handedBack: handedBack.status === 'fulfilled' ? handedBack.value : null,
    threads: { total: stats.threads, busy: stats.busy, stuck: stats.stuck, replaced: stats.replacedThreads, busyMs: stats.busyMs },
    wallMs: clock.wallMs(),
  }
}
