/**
 * Errors of this thread that lead nowhere. V8 has one way by which an object of the thread comes to a strategy whatever we do: an
 * error that Node.js throws while it writes a stack (for a full stack of calls, for a name that is no text). While a strategy
 * runs, the prototypes of errors therefore have no constructor, no function and no parent: what it catches is a text.
 */
const KINDS = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError]

interface Kept {
  readonly prototype: object
  readonly parent: object | null
  readonly own: readonly (readonly [key: PropertyKey, descriptor: PropertyDescriptor])[]
}

const kept: readonly Kept[] = KINDS.map(({ prototype }) => ({
  prototype, parent: Object.getPrototypeOf(prototype) as object | null,
  own: Reflect.ownKeys(prototype).flatMap((key) => {
    const descriptor = Reflect.getOwnPropertyDescriptor(prototype, key)
    return descriptor === undefined || typeof descriptor.value === 'string' ? [] : [[key, descriptor] as const]
  }),
}))

export function withInertErrors<T>(call: () => T): T {
  for (const { prototype, own } of kept) {
    Reflect.setPrototypeOf(prototype, null)
    for (const [key] of own) Reflect.deleteProperty(prototype, key)
  }
  try {
    return call()
  } finally {
    for (const { prototype, parent, own } of kept) {
      Reflect.setPrototypeOf(prototype, parent)
      for (const [key, descriptor] of own) Reflect.defineProperty(prototype, key, descriptor)
    }
  }
}
