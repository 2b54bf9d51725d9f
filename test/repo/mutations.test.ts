/** Every mutation still fits the source that it breaks, and names tests that exist; running them takes minutes and is a script of its own. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../src/base/package-root.js'
import { MUTATIONS } from '../faults/mutations.js'

test.each(MUTATIONS.map((mutation) => [mutation.what, mutation] as const))('%s', (_what, { file, from, to, test: filter, named }) => {
  const text = readFileSync(join(packageRoot, file), 'utf8')
  expect(text.split(from)).toHaveLength(2)
  expect(from).not.toBe(to)
  const tests = join(packageRoot, `${filter}.test.ts`)
  expect(existsSync(tests)).toBe(true)
  if (named !== undefined) expect(readFileSync(tests, 'utf8')).toContain(named)
})
