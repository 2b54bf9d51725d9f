/**
 * Clocks and random numbers of a realm, watched and bent while its strategy is checked: what it asks of them is noted, and each
 * variant gives other answers, so that a decision that hangs on them differs. The realm is thrown away when the check ends.
 */
import type { CheckAmbient } from '../jobs/job.js'

const DAY_MS = 86_400_000
/** Years away, and on another day of the week. */
const SHIFT_MS: readonly number[] = [0, 1003 * DAY_MS + 41_000_007, -1999 * DAY_MS - 17_000_003]

export function bendAmbient(): CheckAmbient {
  const used = new Set<string>()
  let variant = 0
  let watching = false
  const note = (name: string): void => { if (watching) used.add(name) }
  const { performance, crypto } = globalThis
  const real = {
    random: Math.random, now: Date.now, Date: globalThis.Date, performanceNow: performance.now.bind(performance), getRandomValues: crypto.getRandomValues.bind(crypto), randomUUID: crypto.randomUUID.bind(crypto),
  }
  const now = (): number => real.now() + (SHIFT_MS[variant] ?? 0)
  Math.random = () => {
    note('Math.random()')
    const one = real.random()
    return variant === 1 ? one / 2 : variant === 2 ? 0.5 + one / 2 : one
  }
  const clock = (): number => {
    note('Date.now()')
    return now()
  }
  globalThis.Date = new Proxy(real.Date, {
    construct: (target, args: unknown[], self) => {
      if (args.length > 0) return Reflect.construct(target, args, self) as object
      note('new Date()')
      return Reflect.construct(target, [now()], self) as object
    },
    apply: () => {
      note('Date()')
      return new real.Date(now()).toString()
    },
    get: (target, key, self) => (key === 'now' ? clock : Reflect.get(target, key, self) as unknown),
  })
  performance.now = () => {
    note('performance.now()')
    return real.performanceNow() + (SHIFT_MS[variant] ?? 0) / 7
  }
  crypto.getRandomValues = ((array: Uint8Array<ArrayBuffer>) => { note('crypto.getRandomValues()'); return real.getRandomValues(array) }) as typeof crypto.getRandomValues
  crypto.randomUUID = () => { note('crypto.randomUUID()'); return real.randomUUID() }
  const within = <T>(which: number, watches: boolean, call: () => T): T => {
    variant = which
    watching = watches
    try {
      return call()
    } finally {
      watching = false
      variant = 0
    }
  }
  return { used, loading: (which, load) => within(which, false, load), during: (which, call) => within(which, true, call) }
}
