/**
 * Port: delivery of tasks. One implementation speaks Redis Streams (src/queue).
 *
 * Nothing here is the truth: every entry can be lost and published again from Postgres, and every
 * method that takes an entry away checks first that the caller still owns it.
 */
import type { DeadLetterRecord } from './dead-letters.js'
import type { TaskPriority } from './task.js'

/** What is published: the payload travels when it is small, else null and Postgres is asked. */
export interface Publication {
  readonly taskId: string
  readonly taskType: string
  readonly priority: TaskPriority
  readonly body: Uint8Array | null
  /** Milliseconds from now before the entry may be delivered; 0 for at once. */
  readonly delayMs: number
}

export interface Delivery {
  readonly priority: TaskPriority
  readonly messageId: string
  readonly taskId: string
  readonly taskType: string
  readonly body: Uint8Array | null
  /** The consumer that the entry was taken over from, whose lease lapsed; null for a new one. */
  readonly takenFrom: string | null
}

export interface OwnedEntry {
  readonly priority: TaskPriority
  readonly messageId: string
}

export interface PendingEntry extends OwnedEntry {
  readonly consumer: string
  /** When it was last delivered or renewed, by Redis's clock, in milliseconds. */
  readonly deliveredAtMs: number
}

export interface Picked {
  readonly deliveries: readonly Delivery[]
  /** Wait from exactly these ids: an entry added after the pick wakes the doorbell. */
  readonly lastIds: Readonly<Record<TaskPriority, string>>
  /** Milliseconds until the next delayed entry is due, or null. */
  readonly nextDueMs: number | null
  /** Consumer groups that were not there: a fresh Redis, or one that lost its memory. */
  readonly groupsCreated: number
  /** Entries that lapsed but exist no more; their tasks have no message. */
  readonly ghosts: readonly OwnedEntry[]
}

/** Where a published task should be found: its entry, or null in the delayed set. */
export interface PublishedTask {
  readonly taskId: string
  readonly taskType: string
  readonly priority: TaskPriority
  readonly messageId: string | null
}

export type Limits = Readonly<Record<TaskPriority, number>>

export type Renewal = 'renewed' | 'absent' | 'lost'

/** Adding and looking: what producers need. */
export interface TaskPublisher {
  /** In order; the ids of the entries, or null for delayed ones. */
  publish(items: readonly Publication[]): Promise<(string | null)[]>
  /** Stream lengths minus what is in somebody's hands. */
  depths(): Promise<Record<TaskPriority, number>>
  /** Stream lengths, delivered or not: what capacity counts. */
  lengths(): Promise<Record<TaskPriority, number>>
  /** Those of the tasks that Redis has forgotten. */
  missing<T extends PublishedTask>(tasks: readonly T[]): Promise<T[]>
  /** Takes tasks out of the delayed set: they will not be due any more. */
  withdraw(tasks: readonly Pick<PublishedTask, 'taskId' | 'taskType' | 'priority'>[]): Promise<void>
  checkpointFeed(taskId: string, step: string, json: string): Promise<void>
}

/** Taking and settling: what a worker needs. */
export interface TaskConsumer {
  readonly consumer: string
  /** At most `limits` of each priority and `total` in all, highest first. */
  pick(limits: Limits, total: number, takeOver: readonly PendingEntry[]): Promise<Picked>
  /** Takes one named entry, if nobody owns it or its owner is in `deadConsumers`. */
  take(entry: OwnedEntry, deadConsumers: readonly string[]): Promise<Delivery | null>
  /** Resolves when something was added after `lastIds`, or after `maxMs`. */
  doorbell(lastIds: Readonly<Record<TaskPriority, string>>, maxMs: number, signal: AbortSignal): Promise<void>
  renew(entries: readonly OwnedEntry[]): Promise<Renewal[]>
  /** Acks and deletes; false where somebody else owns the entry. */
  settle(entries: readonly Settlement[]): Promise<boolean[]>
  pending(idleMs: number): Promise<PendingEntry[]>
  /** Removes consumers that own nothing and are not in `alive`. */
  removeIdleConsumers(alive: readonly string[], idleMs: number): Promise<string[]>
}

/** How an entry leaves its stream. */
export interface Settlement extends OwnedEntry {
  readonly move:
    | { readonly kind: 'done' }
    | { readonly kind: 'delay'; readonly taskId: string; readonly taskType: string; readonly delayMs: number }
    | { readonly kind: 'dead_letter'; readonly letter: DeadLetter }
}

/** A dead letter as the stream `tasks:dlq` shows it; one without a row (bytes that do not decode) has only what is known. */
export type DeadLetter = Pick<DeadLetterRecord, 'taskId' | 'taskType' | 'priority' | 'reason' | 'error' | 'attempts' | 'generation'> & Partial<DeadLetterRecord>

/** An entry of the projection. */
export interface ShownLetter {
  readonly entryId: string
  readonly taskId: string
  /** 0 for bytes that no row was found for. */
  readonly generation: number
}

/** The projection of dead letters: what watchers of Redis see. */
export interface DeadLetterFeed {
  count(): Promise<number>
  add(letters: readonly DeadLetter[]): Promise<void>
  /** All of it, oldest first. */
  pages(): AsyncIterable<readonly ShownLetter[]>
  remove(letters: readonly ShownLetter[]): Promise<void>
}

export type TaskStream = TaskPublisher & TaskConsumer
