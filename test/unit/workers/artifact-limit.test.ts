/** A backtest over millions of bars succeeds without its equity curve instead of failing at the store. */
import { expect, test } from 'vitest'
import { keptArtifacts } from '../../../workers/artifact-limit.js'

test('what is too large is left out with a warning that names it', () => {
  const [small, large] = [new Uint8Array(2 ** 20), new Uint8Array(2 ** 20 + 1)]
  expect(keptArtifacts({ trades: small, equity: large }, 2 ** 20)).toEqual({
    bytes: { trades: small }, warnings: [expect.stringMatching(/as equity takes 2 MiB, more than the 1 MiB/)],
  })
})
