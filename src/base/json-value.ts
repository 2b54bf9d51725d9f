/**
 * What is JSON and what is not, told once at the door. A payload travels two ways, as msgpack in a message and as jsonb in
 * a row, and both must bring the same value; so must every later reading of a result or a checkpoint. What only one of
 * them could carry (a Date, a Map, NaN, bytes) is refused with its path.
 *
 * Two things are made alike and not refused, because JSON knows no difference: a key whose value is undefined is left
 * out, and −0 is 0. Keys stand in the order in which Postgres keeps them.
 */
import { SweepmillError } from './errors.js'
import { MAX_DEPTH, TOO_DEEP } from './json-depth.js'
import { cutText, isStorable } from './storable-text.js'

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/** Values in all: no payload that may be sent has more, since each takes at least a byte. */
const MAX_VALUES = 16 * 1024 * 1024

/** `refuse`: a text that Postgres cannot keep is an error with its path. `keep`: it is left for the store to replace. */
export type TextRule = 'refuse' | 'keep'

/** A copy of `value` that is nothing but JSON. SPEC_INVALID names the path under `root`; PAYLOAD_TOO_LARGE. */
export function jsonValue(value: unknown, root: string, texts: TextRule): JsonValue {
  const copying = new Copying(root, texts)
  try {
    return copying.copy(value)
  } catch (thrown) {
    // A getter or a proxy may throw anything.
    throw thrown instanceof SweepmillError ? thrown : copying.refusal('cannot be read', thrown)
  }
}

/** The same of an object. */
export function jsonObject(value: unknown, root: string, texts: TextRule): Readonly<Record<string, JsonValue>> {
  const copy = jsonValue(value, root, texts)
  if (typeof copy !== 'object' || copy === null || Array.isArray(copy)) {
    throw new SweepmillError('SPEC_INVALID', `${root === '' ? 'It' : root} must be an object of keys and values.`, { details: { path: root } })
  }
  return copy as Readonly<Record<string, JsonValue>>
}

const UNSTORABLE = 'holds a NUL or half of a surrogate pair, which cannot be stored; take it out'

const ADVICE: Readonly<Record<string, string>> = {
  Date: '; send a text, such as toISOString() gives', Map: '; send an object', Set: '; send a list',
  Uint8Array: '; send a text, such as base64',
}

class Copying {
  readonly #root: string
  readonly #texts: TextRule
  /** Where it is: written out only for a refusal. */
  readonly #path: (string | number)[] = []
  readonly #above = new Set<object>()
  #values = 0

  constructor(root: string, texts: TextRule) {
    this.#root = root
    this.#texts = texts
  }

  copy(value: unknown): JsonValue {
    this.#values += 1
    if (this.#values > MAX_VALUES) throw new SweepmillError('PAYLOAD_TOO_LARGE', `There are more than ${MAX_VALUES} values under ${this.#root}; send less.`)
    switch (typeof value) {
      case 'string':
        if (this.#texts === 'refuse' && !isStorable(value)) throw this.refusal(UNSTORABLE)
        return value
      case 'number':
        if (!Number.isFinite(value)) throw this.refusal(`is ${value}, which JSON has no word for; send null or leave it out`)
        return value === 0 ? 0 : value
      case 'boolean': return value
      case 'object': return value === null ? null : this.#container(value)
      case 'undefined': throw this.refusal('is undefined, which is not JSON; send null')
      case 'bigint': case 'function': case 'symbol': throw this.refusal(`is a ${typeof value}, which is not JSON`)
    }
  }

  #container(value: object): JsonValue {
    if (this.#above.has(value)) throw this.refusal('contains itself')
    if (this.#path.length >= MAX_DEPTH) throw this.refusal(TOO_DEEP)
    this.#above.add(value)
    const copy = Array.isArray(value) ? this.#list(value) : this.#record(value)
    this.#above.delete(value)
    return copy
  }

  #list(list: readonly unknown[]): JsonValue[] {
    const keys = Object.keys(list).length
    if (keys < list.length) throw this.refusal('is a list with holes; send null for what is not there')
    if (keys > list.length) throw this.refusal('is a list with keys of its own; send an object')
    const copy: JsonValue[] = []
    for (let i = 0; i < list.length; i += 1) {
      this.#path.push(i)
      copy.push(this.copy(list[i]))
      this.#path.pop()
    }
    return copy
  }

  #record(record: object): Record<string, JsonValue> {
    const kind = kindOf(record)
    if (kind !== null) throw this.refusal(`is a ${kind}, which is not JSON${ADVICE[kind] ?? ''}`)
    const symbol = Object.getOwnPropertySymbols(record).find((key) => Object.prototype.propertyIsEnumerable.call(record, key))
    if (symbol !== undefined) throw this.refusal(`has the key ${String(symbol)}, which is no text`)
    const copy: Record<string, JsonValue> = {}
    for (const key of Object.keys(record).toSorted(asStored)) {
      this.#path.push(key)
      if (key === '__proto__') throw this.refusal('has a name that would change the object it stands in; use another')
      if (this.#texts === 'refuse' && !isStorable(key)) throw this.refusal(UNSTORABLE)
      // Read once: a getter may give something else the next time.
      const value = (record as Readonly<Record<string, unknown>>)[key]
      if (value !== undefined) copy[key] = this.copy(value)
      this.#path.pop()
    }
    return copy
  }

  refusal(why: string, cause?: unknown): SweepmillError {
    let path = this.#root
    for (const step of this.#path) {
      if (typeof step === 'number' || !/^[A-Za-z_$][\w$-]*$/.test(step)) path += `[${JSON.stringify(step)}]`
      else path += path === '' ? step : `.${step}`
    }
    path = cutText(path, 200)
    return new SweepmillError('SPEC_INVALID', `${path === '' ? 'The value' : path} ${why}.`, { details: { path }, ...(cause === undefined ? {} : { cause }) })
  }
}

/** Null for an object that is only keys and values, also one of another realm. */
function kindOf(value: object): string | null {
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  if (tag !== 'Object') return tag
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return null
  const { constructor } = prototype as { constructor?: { name?: unknown } }
  return typeof constructor?.name === 'string' && constructor.name !== '' && constructor.name !== 'Object' ? constructor.name : 'class instance'
}

/** jsonb keeps shorter keys first, then by bytes: the first delivery comes from a message and may not differ from the second. */
function asStored(a: string, b: string): number {
  return Buffer.byteLength(a) - Buffer.byteLength(b) || Buffer.compare(Buffer.from(a), Buffer.from(b))
}
