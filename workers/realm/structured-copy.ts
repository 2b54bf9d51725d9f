/** `structuredClone` for a realm, which has none: data of every kind, also in circles; functions are refused. */
const PRIMITIVE = new Set(['undefined', 'boolean', 'number', 'string', 'bigint'])

export function structuredCopy(value: unknown, seen: Map<object, unknown> = new Map()): unknown {
  if (value === null || PRIMITIVE.has(typeof value)) return value
  if (typeof value !== 'object') throw new TypeError(`A ${typeof value} cannot be cloned.`)
  const known = seen.get(value)
  if (known !== undefined) return known
  const noted = <T extends object>(copy: T): T => {
    seen.set(value, copy)
    return copy
  }
  const copyOf = (one: unknown): unknown => structuredCopy(one, seen)
  if (value instanceof Date) return noted(new Date(value.getTime()))
  if (value instanceof RegExp) return noted(new RegExp(value.source, value.flags))
  if (value instanceof ArrayBuffer) return noted(value.slice(0))
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength, constructor } = value
    return noted(Reflect.construct(constructor as new (buffer: unknown) => object, [buffer.slice(byteOffset, byteOffset + byteLength)]))
  }
  if (value instanceof Map) {
    const copy = noted(new Map<unknown, unknown>())
    for (const [key, one] of value) copy.set(copyOf(key), copyOf(one))
    return copy
  }
  if (value instanceof Set) {
    const copy = noted(new Set<unknown>())
    for (const one of value) copy.add(copyOf(one))
    return copy
  }
  if (value instanceof Error) {
    const copy = noted(new Error(value.message))
    copy.name = value.name
    return copy
  }
  const copy: Record<string, unknown> | unknown[] = noted(Array.isArray(value) ? [] : {})
  for (const [key, one] of Object.entries(value)) Reflect.defineProperty(copy, key, { value: copyOf(one), writable: true, enumerable: true, configurable: true })
  return copy
}
