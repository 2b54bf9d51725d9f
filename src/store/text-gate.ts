/**
 * The one gate for text on its way to Postgres: what cannot be stored is replaced by what shows that it stood there.
 * Every statement passes it, whoever sends it (src/store/connection.ts). A statement says itself which of its parameters are JSON (`$1::jsonb`): in
 * those an escape is meant, which in any other text is just characters.
 */
import { storableJson, storableText } from '../base/storable-text.js'

/** Of each statement that was seen; the texts are few, and built once. */
const jsonOf = new Map<string, ReadonlySet<number>>()
const MAX_KNOWN = 1000

function jsonParameters(statement: string): ReadonlySet<number> {
  const known = jsonOf.get(statement)
  if (known !== undefined) return known
  const found = new Set([...statement.matchAll(/\$(\d+)::jsonb?\b/g)].map(([, position]) => Number(position)))
  if (jsonOf.size < MAX_KNOWN) jsonOf.set(statement, found)
  return found
}

/** The values of a statement, with every text in them as it can be stored. */
export function storableValues(statement: string, values: readonly unknown[]): unknown[] {
  const json = jsonParameters(statement)
  return values.map((value, i) => storable(value, json.has(i + 1)))
}

function storable(value: unknown, isJson: boolean): unknown {
  if (typeof value === 'string') return isJson ? storableJson(value) : storableText(value)
  return Array.isArray(value) ? value.map((one: unknown) => storable(one, isJson)) : value
}
