/**
 * JSON text that does not depend on the order in which an object's keys were written: what is hashed when the same data may
 * come over different ways. Postgres keeps keys of jsonb in an order of its own.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => (typeof one === 'object' && one !== null && !Array.isArray(one)
    ? Object.fromEntries(Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : one)) ?? 'null'
}
