/**
 * Clocks and random numbers of this thread, watched and bent while a strategy is checked: what it asks of them is noted,
 * and each variant gives other answers, so that a decision that hangs on them differs. Put back when the check ends.
 */
import type { Ambient } from '../src/engine/index.js'

const DAY_MS = 86_400_000
/** Years away, and on another day of the week. */
const SHIFT_MS: readonly number[] = [0, 1003 * DAY_MS + 41_000_007, -1999 * DAY_MS - 17_000_003]

export interface ThreadAmbient extends Ambient {
  /** While a module loads: bent, not noted, because what a package asks for at its start need not reach a decision. */
  loading<T>(variant: number, load: () => Promise<T>): Promise<T>
}

export async function withAmbient<T>(use: (ambient: ThreadAmbient) => Promise<T>): Promise<T> {
  const used = new Set<string>()
  let variant = 0
  let watching = false
  const note = (name: string): void => { if (watching) used.add(name) }
  const real = {
    random: Math.random, now: Date.now, Date: globalThis.Date, hrtime: process.hrtime,
    performanceNow: performance.now.bind(performance), getRandomValues: crypto.getRandomValues.bind(crypto), randomUUID: crypto.randomUUID.bind(crypto),
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
  process.hrtime = Object.assign((...args: [[number, number]?]) => { note('process.hrtime()'); return real.hrtime(...args) }, { bigint: () => { note('process.hrtime()'); return real.hrtime.bigint() } })
  crypto.getRandomValues = ((array: Uint8Array<ArrayBuffer>) => { note('crypto.getRandomValues()'); return real.getRandomValues(array) }) as typeof crypto.getRandomValues
  crypto.randomUUID = () => { note('crypto.randomUUID()'); return real.randomUUID() }
  try {
    return await use({
      used,
      loading: async (which, load) => {
        variant = which
        try {
          return await load()
        } finally {
          variant = 0
        }
      },
      during: (which, call) => {
        variant = which
        watching = true
        try {
          return call()
        } finally {
          watching = false
          variant = 0
        }
      },
    })
  } finally {
    Math.random = real.random
    globalThis.Date = real.Date
    process.hrtime = real.hrtime
    // Those of the prototypes come back.
    Reflect.deleteProperty(performance, 'now')
    Reflect.deleteProperty(crypto, 'getRandomValues')
    Reflect.deleteProperty(crypto, 'randomUUID')
  }
}
