/**
 * Names of variables that nothing would read: what is certainly a mistake is refused, what may be another program's is
 * told. `known` are the names of the configuration, in the order of its list.
 */
import { SweepmillError } from '../base/errors.js'
import { nearest } from '../engine/specs/nearest.js'

export type Environment = Readonly<Record<string, string | undefined>>

/** Below so many letters two slips make another word. */
const SHORTEST_GUESS = 7

/** Settings that a program wrote out: all of them are ours, so an unknown name is a mistake. Throws CONFIG_UNKNOWN. */
export function refuseUnknownSettings(settings: Environment, known: readonly string[]): void {
  const variable = Object.keys(settings).find((name) => !known.includes(name))
  if (variable === undefined) return
  const guess = nearest(variable, known)
  throw new SweepmillError('CONFIG_UNKNOWN',
    `settings.${variable} is not known${guess === undefined ? '' : `; did you mean ${guess}`}. Known are ${known.join(', ')}.`, { details: { variable } })
}

/**
 * What looks like a variable of ours with a slip in its name. A sentence and no refusal: the environment is shared, and
 * the name may be another program's. Where the right name is set too, nothing was lost and nothing is said.
 */
export function nearMisses(env: Environment, known: readonly string[]): readonly string[] {
  const unset = known.filter((name) => (env[name]?.trim() ?? '') === '')
  return Object.keys(env).sort().flatMap((given) => {
    if (known.includes(given) || (env[given]?.trim() ?? '') === '') return []
    const plain = given.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')
    const meant = unset.includes(plain) ? plain : plain.length < SHORTEST_GUESS ? undefined : nearest(plain, unset)
    return meant === undefined ? [] : [`${given} is set, but is no variable of Sweepmill: write ${meant} if that is meant.`]
  })
}

/** Nothing of ours begins with SWEEPMILL_, so such a name is a mistake, most often a prefix too many. */
export function refusePrefixed(env: Environment, known: readonly string[]): void {
  const unknown = Object.keys(env).filter((name) => /^sweepmill_/i.test(name)).sort()
  const [first] = unknown
  if (first === undefined) return
  const messages = unknown.map((name) => {
    const written = name.slice('SWEEPMILL_'.length).toUpperCase()
    const bare = known.includes(written) ? written : nearest(written, known) ?? ''
    return known.includes(bare) ? `${name} is not known: write ${bare} instead.` : `${name} is not known: unset it; "sweepmill config" lists the names that are.`
  })
  throw new SweepmillError('CONFIG_UNKNOWN', messages.join(' '), { details: { variable: first, variables: unknown } })
}
