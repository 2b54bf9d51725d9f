/**
 * How deep a value may be nested, at every door: what walks through values (checking, hashing, msgpack, jsonb) does so by
 * recursion, and ten thousand levels overflow the stack. `JSON.parse` takes any depth, so it is asked right behind it.
 */

/** Postgres and msgpack go down by recursion; nobody means more than this. */
export const MAX_DEPTH = 100
export const TOO_DEEP = `lies more than ${MAX_DEPTH} levels deep`

/** Level by level, each object once a level: neither depth nor what is shared can make it long. */
export function isTooDeep(value: unknown): boolean {
  let level = containersOf([value])
  for (let depth = 0; level.size > 0; depth += 1) {
    if (depth > MAX_DEPTH) return true
    const next = new Set<object>()
    for (const container of level) for (const inner of containersOf(Object.values(container))) next.add(inner)
    level = next
  }
  return false
}

function containersOf(values: readonly unknown[]): Set<object> {
  return new Set(values.filter((one): one is object => typeof one === 'object' && one !== null && !ArrayBuffer.isView(one)))
}
