/**
 * Delivery of tasks over Redis Streams: the one place that speaks to Redis.
 *
 * Two connections: one for commands, one that only ever blocks on the doorbell (XREAD without a group, which
 * claims nothing). Works on Redis 6.2, 7, 8 and Valkey. Nothing is trimmed; settled entries are deleted.
 */
import type { Redis } from 'ioredis'
import { SweepmillError } from '../base/errors.js'
import { Batcher } from '../base/batcher.js'
import { PRIORITIES } from '../tasks/task.js'
import type { PriorityWeights, TaskPriority } from '../tasks/task.js'
import type {
  Delivery, Limits, OwnedEntry, PendingEntry, Picked, Publication, PublishedTask, Renewal, Settlement, TaskStream,
} from '../tasks/task-stream.js'
import { letterFields, RedisDeadLetterFeed } from './dead-letter-feed.js'
import { asList, asText, LuaScript } from './lua-script.js'
import type { Argument, Reply } from './lua-script.js'
import { PickTurns } from './pick-turns.js'
import { redisConnection } from './redis-connection.js'
import { CLOCK } from './scripts/clock.js'
import { PENDING, RENEW, SWEEP_CONSUMERS } from './scripts/lease.js'
import { MISSING } from './scripts/missing.js'
import { PICK, TAKE } from './scripts/pick.js'
import { PUBLISH } from './scripts/publish.js'
import { SERVING } from './scripts/serving.js'
import { SETTLE } from './scripts/settle.js'
import { byPriority, priorityOf, streamNumber } from './stream-number.js'
import { transient } from './transient.js'

export const GROUP = 'task_workers'
const PROMOTE_AT_MOST = 500
const PENDING_AT_MOST = 1000
const FEED_LENGTH = 10_000
/** Weights and positions of a pick without weights. */
const STRICT = [0, 0, 0, 0, 0, 0] as const

const SCRIPTS = { publish: PUBLISH, pick: PICK, take: TAKE, renew: RENEW, pending: PENDING, missing: MISSING, sweep: SWEEP_CONSUMERS, settle: SETTLE, serving: SERVING } as const
type Scripts = Readonly<Record<keyof typeof SCRIPTS, LuaScript>>

function scriptsWith(clock: string): Scripts {
  return Object.fromEntries(Object.entries(SCRIPTS).map(([name, text]) => [name, new LuaScript(text.replace(CLOCK, clock))])) as Scripts
}

const scriptsOfRedisTime = scriptsWith(CLOCK)

export interface RedisTaskStreamOptions {
  readonly redisUrl: string
  readonly keyPrefix: string
  /** Unique per process start. */
  readonly consumer: string
  /** The longest wait of one blocking read, in milliseconds: it bounds every lost wake-up. */
  readonly pollMs: number
  /** How picks are shared among the priorities; absent or null: strict. */
  readonly weights?: PriorityWeights | null
  /** Only for tests that move time: Lua that defines `now_ms()` in the place of the one that reads Redis's clock. */
  readonly scriptClock?: string
}

/** What tells one life of a Redis from the next: a flush loses the epoch key, a restart changes the run id. */
export interface RedisIdentity {
  readonly epoch: string
  readonly runId: string
}

export class RedisTaskStream implements TaskStream {
  /** What was given up, for watchers. */
  readonly deadLetters: RedisDeadLetterFeed
  readonly consumer: string
  readonly #redis: Redis
  readonly #bell: Redis
  readonly #keys: { readonly streams: readonly string[]; readonly delayed: string; readonly dlq: string; readonly feed: string; readonly epoch: string; readonly probes: readonly string[] }
  readonly #publishes: Batcher<Publication, string | null>
  readonly #settles: Batcher<Settlement, boolean>
  /** Concurrent producers share one look at the lengths. */
  readonly #looks: Batcher<null, Record<TaskPriority, number>>
  readonly #pollMs: number
  readonly #scripts: Scripts
  readonly #turns: PickTurns | null
  #ringing: Promise<void> | null = null
  #trouble: Error | null = null
  #closed = false

  constructor(options: RedisTaskStreamOptions) {
    this.consumer = options.consumer
    const prefix = options.keyPrefix
    this.#keys = {
      streams: PRIORITIES.map((priority) => `${prefix}tasks:${priority}`),
      delayed: `${prefix}tasks:delayed`, dlq: `${prefix}tasks:dlq`, feed: `${prefix}tasks:checkpoints`, epoch: `${prefix}tasks:epoch`,
      probes: [`${prefix}tasks:probe`, `${prefix}tasks:probe-set`],
    }
    this.#pollMs = options.pollMs
    this.#turns = options.weights === undefined || options.weights === null ? null : new PickTurns(options.weights)
    this.#scripts = options.scriptClock === undefined ? scriptsOfRedisTime : scriptsWith(options.scriptClock)
    const note = (error: Error): void => { this.#trouble = error }
    // A command waits for a reconnection through a few retries (Redis restarting), then fails as transient.
    this.#redis = redisConnection(options.redisUrl, { maxRetriesPerRequest: 8 }, 0, note)
    this.#bell = redisConnection(options.redisUrl, { maxRetriesPerRequest: 0, enableOfflineQueue: true }, options.pollMs, note)
    this.deadLetters = new RedisDeadLetterFeed(this.#redis, this.#keys.dlq)
    const batching = { maxItems: 500, lanes: 2, splits: () => false }
    this.#publishes = new Batcher((items) => this.#publishAll(items), batching)
    this.#settles = new Batcher((entries) => this.#settleAll(entries), batching)
    this.#looks = new Batcher(async (askers) => {
      const lengths = await this.#lengths()
      return askers.map(() => lengths)
    }, { ...batching, maxItems: 10_000 })
  }

  /** Connects and refuses a Redis that evicts keys or is too old. */
  async connect(): Promise<void> {
    // The client itself only says that the connection is closed; why, it says on the side.
    await Promise.all([this.#redis.connect(), this.#bell.connect()]).catch((error: unknown) => transient(this.#trouble ?? error))
    const info = await this.#guard(() => this.#redis.info())
    const version = /redis_version:(\d+)\.(\d+)/.exec(info)
    if (version !== null && (Number(version[1]) < 6 || (Number(version[1]) === 6 && Number(version[2]) < 2))) {
      throw new SweepmillError('CONFIG_INVALID', `REDIS_URL points at Redis ${version[1]}.${version[2]}; version 6.2 or newer is needed.`)
    }
    // A Cluster runs no script whose keys lie in several slots, and every script here names all of them.
    if (/redis_mode:cluster/.test(info) && !/\{[^}]+\}/.test(this.#keys.epoch)) {
      throw new SweepmillError('CONFIG_INVALID', 'REDIS_URL points at a Redis Cluster, and KEY_PREFIX has no hash tag, which keeps all keys on one node: set it to one such as {sweepmill}:.', { details: { variable: 'KEY_PREFIX' } })
    }
    const policy = policyOf(info)
    if (policy !== null) {
      throw new SweepmillError('REDIS_EVICTS', `Redis has maxmemory-policy ${policy}, which throws tasks away when memory is short. Set it to noeviction.`, { details: { policy } })
    }
  }

  /** REDIS_UNAVAILABLE with what to change, where it answers and yet cannot do what picks and publications need. Else a warning, or null. */
  async serving(): Promise<string | null> {
    const { streams, delayed, dlq, feed, epoch, probes } = this.#keys
    await this.#run(this.#scripts.serving, [...streams, delayed, dlq, feed, epoch, ...probes], [GROUP])
    const policy = policyOf(await this.#guard(() => this.#redis.info('memory')))
    return policy === null ? null : `Redis now has maxmemory-policy ${policy}, which throws tasks away when memory is short. Set it to noeviction.`
  }

  publish(items: readonly Publication[]): Promise<(string | null)[]> {
    return this.#publishes.addAll(items)
  }

  async #publishAll(items: readonly Publication[]): Promise<(string | null)[]> {
    const args: Argument[] = []
    for (const item of items) {
      args.push(streamNumber(item.priority), item.taskId, item.taskType, item.body === null ? '' : Buffer.from(item.body), Math.ceil(item.delayMs))
    }
    const reply = await this.#run(this.#scripts.publish, [...this.#keys.streams, this.#keys.delayed], args)
    return asList(reply).map((id) => (id === null ? null : asText(id)))
  }

  lengths(): Promise<Record<TaskPriority, number>> {
    return this.#looks.add(null)
  }

  async #lengths(): Promise<Record<TaskPriority, number>> {
    const lengths = await this.#guard(() => Promise.all(this.#keys.streams.map((key) => this.#redis.xlen(key))))
    return byPriority((i) => lengths[i] ?? 0)
  }

  async depths(): Promise<Record<TaskPriority, number>> {
    const lengths = await this.lengths()
    const inHand = await this.#guard(() => Promise.all(this.#keys.streams.map(async (key) => {
      const summary = await this.#redis.xpending(key, GROUP).catch(() => [0])
      return Number(summary[0] ?? 0)
    })))
    return byPriority((i, priority) => Math.max(0, lengths[priority] - (inHand[i] ?? 0)))
  }

  async missing<T extends PublishedTask>(tasks: readonly T[]): Promise<T[]> {
    if (tasks.length === 0) return []
    const args: Argument[] = []
    for (const task of tasks) args.push(streamNumber(task.priority), task.messageId ?? '', task.taskType, task.taskId)
    const reply = asList(await this.#run(this.#scripts.missing, [...this.#keys.streams, this.#keys.delayed], args))
    return tasks.filter((_, i) => reply[i] === 1)
  }

  async withdraw(tasks: readonly Pick<PublishedTask, 'taskId' | 'taskType' | 'priority'>[]): Promise<void> {
    if (tasks.length === 0) return
    await this.#guard(() => this.#redis.zrem(this.#keys.delayed, ...tasks.map((task) => `${streamNumber(task.priority)}:${task.taskType}:${task.taskId}`)))
  }

  async delayedCount(): Promise<number> {
    return this.#guard(() => this.#redis.zcard(this.#keys.delayed))
  }

  /** The feed is a projection: a lost entry costs a watcher one line. */
  async checkpointFeed(taskId: string, step: string, json: string): Promise<void> {
    await this.#guard(() => this.#redis.xadd(this.#keys.feed, 'MAXLEN', '~', FEED_LENGTH, '*', 'task_id', taskId, 'step', step, 'data', json))
  }

  async pick(limits: Limits, total: number, takeOver: readonly PendingEntry[]): Promise<Picked> {
    const args: Argument[] = [GROUP, this.consumer, limits.high, limits.medium, limits.low, total, PROMOTE_AT_MOST, ...this.#turns?.args() ?? STRICT]
    for (const entry of takeOver) args.push(streamNumber(entry.priority), entry.messageId, entry.consumer, entry.deliveredAtMs)
    const reply = asList(await this.#run(this.#scripts.pick, [...this.#keys.streams, this.#keys.delayed], args))
    const lastIds = asList(reply[1])
    const due = Number(reply[2])
    const deliveries = asList(reply[0]).map((entry) => toDelivery(asList(entry)))
    const waiting = asList(reply[5])
    this.#turns?.settle(limits, byPriority((i) => Number(waiting[i])), deliveries)
    return {
      deliveries,
      lastIds: byPriority((i) => asText(lastIds[i])),
      nextDueMs: due < 0 ? null : due,
      groupsCreated: Number(reply[3]),
      ghosts: asList(reply[4]).map((ghost) => {
        const [n, id] = asList(ghost)
        return { priority: priorityOf(Number(n)), messageId: asText(id) }
      }),
    }
  }

  async take(entry: OwnedEntry, deadConsumers: readonly string[]): Promise<Delivery | null> {
    const n = streamNumber(entry.priority)
    const reply = await this.#run(this.#scripts.take, [this.#keys.streams[n - 1] ?? ''], [GROUP, this.consumer, n, entry.messageId, ...deadConsumers])
    return reply === null ? null : toDelivery(asList(reply))
  }

  async doorbell(lastIds: Readonly<Record<TaskPriority, string>>, maxMs: number, signal: AbortSignal): Promise<void> {
    // One blocking read at a time: an older one has older ids, so whatever it missed has already rung it.
    this.#ringing ??= this.#ring(lastIds, maxMs).finally(() => { this.#ringing = null })
    const ringing = this.#ringing
    await new Promise<void>((resolve) => {
      const done = (): void => { signal.removeEventListener('abort', done); resolve() }
      if (signal.aborted) { resolve(); return }
      signal.addEventListener('abort', done, { once: true })
      void ringing.then(done, done)
    })
  }

  async #ring(lastIds: Readonly<Record<TaskPriority, string>>, maxMs: number): Promise<void> {
    const ids = PRIORITIES.map((priority) => lastIds[priority])
    try {
      await this.#bell.callBuffer('XREAD', 'COUNT', 1, 'BLOCK', Math.max(1, Math.ceil(Math.min(maxMs, this.#pollMs))), 'STREAMS', ...this.#keys.streams, ...ids)
    } catch (error) {
      if (!this.#closed) transient(error)
    }
  }

  async renew(entries: readonly OwnedEntry[]): Promise<Renewal[]> {
    if (entries.length === 0) return []
    const args: Argument[] = [GROUP, this.consumer]
    for (const entry of entries) args.push(streamNumber(entry.priority), entry.messageId)
    const reply = asList(await this.#run(this.#scripts.renew, this.#keys.streams, args))
    return reply.map((code) => (code === 1 ? 'renewed' : code === 0 ? 'absent' : 'lost'))
  }

  settle(entries: readonly Settlement[]): Promise<boolean[]> {
    return this.#settles.addAll(entries)
  }

  async #settleAll(entries: readonly Settlement[]): Promise<boolean[]> {
    const args: Argument[] = [GROUP, this.consumer]
    for (const entry of entries) {
      args.push(streamNumber(entry.priority), entry.messageId, entry.move.kind)
      switch (entry.move.kind) {
        case 'done': args.push('', '', ''); break
        case 'delay': args.push(entry.move.taskId, entry.move.taskType, Math.ceil(entry.move.delayMs)); break
        case 'dead_letter': args.push(entry.move.letter.taskId, entry.move.letter.taskType, JSON.stringify(letterFields(entry.move.letter))); break
      }
    }
    const reply = await this.#run(this.#scripts.settle, [...this.#keys.streams, this.#keys.delayed, this.#keys.dlq], args)
    return asList(reply).map((code) => code === 1)
  }

  async pending(idleMs: number): Promise<PendingEntry[]> {
    const reply = asList(await this.#run(this.#scripts.pending, this.#keys.streams, [GROUP, Math.max(0, Math.floor(idleMs)), PENDING_AT_MOST]))
    return reply.map((one) => {
      const [n, id, consumer, deliveredAt] = asList(one)
      return { priority: priorityOf(Number(n)), messageId: asText(id), consumer: asText(consumer), deliveredAtMs: Number(deliveredAt) }
    })
  }

  async removeIdleConsumers(alive: readonly string[], idleMs: number): Promise<string[]> {
    const reply = await this.#run(this.#scripts.sweep, this.#keys.streams, [GROUP, Math.floor(idleMs), ...alive])
    return asList(reply).map(asText)
  }

  /** Sets the epoch when there is none (a fresh or a flushed Redis) and returns what identifies this one. */
  async identity(fresh: string): Promise<RedisIdentity> {
    return this.#guard(async () => {
      await this.#redis.set(this.#keys.epoch, fresh, 'NX')
      const [epoch, info] = await Promise.all([this.#redis.get(this.#keys.epoch), this.#redis.info('server')])
      return { epoch: epoch ?? fresh, runId: /run_id:(\S+)/.exec(info)?.[1] ?? '' }
    })
  }

  async ping(): Promise<void> {
    await this.#guard(() => this.#redis.ping())
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#bell.disconnect()
    if (this.#redis.status === 'ready') await this.#redis.quit().catch(() => undefined)
    this.#redis.disconnect()
  }

  async #run(script: LuaScript, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
    return this.#guard(() => script.run(this.#redis, keys, args))
  }

  #guard<T>(call: () => Promise<T>): Promise<T> {
    return call().catch(transient)
  }
}

/** Null for the one policy that loses nothing. */
function policyOf(info: string): string | null {
  const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1]
  return policy === undefined || policy === 'noeviction' ? null : policy
}

function toDelivery(entry: readonly Reply[]): Delivery {
  const body = entry[5]
  return {
    priority: priorityOf(Number(entry[0])), messageId: asText(entry[1]), takenFrom: asText(entry[2]) === '' ? null : asText(entry[2]),
    taskId: asText(entry[3]), taskType: asText(entry[4]), body: Buffer.isBuffer(body) ? body : null,
  }
}
