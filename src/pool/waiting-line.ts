/**
 * Steps that wait for a thread: HIGH before MEDIUM before LOW, or in the order that the caller's shares give; within a
 * priority the users take turns, and each user's steps go in order of arrival. Piscina's own queue is not used,
 * because it does not run in order.
 */
import type { ComputePriority } from '../tasks/compute-pool.js'
import { PRIORITIES } from '../tasks/task.js'

export class WaitingLine<T> {
  /** Per priority, users in the order of their next turn. */
  readonly #lines: Record<ComputePriority, Map<string, T[]>> = { high: new Map(), medium: new Map(), low: new Map() }

  add(priority: ComputePriority, user: string, item: T): void {
    const line = this.#lines[priority]
    const own = line.get(user)
    if (own === undefined) line.set(user, [item])
    else own.push(item)
  }

  /** Takes the first item that may run; `mayRun` looks at the head of each user's steps. */
  take(mayRun: (priority: ComputePriority, item: T) => boolean, order: readonly ComputePriority[] = PRIORITIES): T | null {
    for (const priority of order) {
      const line = this.#lines[priority]
      for (const [user, own] of line) {
        const [head] = own
        if (head === undefined || !mayRun(priority, head)) continue
        own.shift()
        // The user goes to the end of the line, or leaves it.
        line.delete(user)
        if (own.length > 0) line.set(user, own)
        return head
      }
    }
    return null
  }

  remove(item: T): boolean {
    for (const line of Object.values(this.#lines)) {
      for (const [user, own] of line) {
        const at = own.indexOf(item)
        if (at < 0) continue
        own.splice(at, 1)
        if (own.length === 0) line.delete(user)
        return true
      }
    }
    return false
  }

  drain(): T[] {
    const all = Object.values(this.#lines).flatMap((line) => [...line.values()].flat())
    for (const line of Object.values(this.#lines)) line.clear()
    return all
  }

  count(priority: ComputePriority): number {
    let count = 0
    for (const own of this.#lines[priority].values()) count += own.length
    return count
  }
}
