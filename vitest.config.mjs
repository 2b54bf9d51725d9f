// Three projects, so that `npm run check` can run the repository's own rules alone, in seconds,
// while `npm test` runs everything. Servers are started once for the whole run by test/global-setup.ts.
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

// Far limits: they end what hangs, and say nothing about speed. A test that waits for a state gives up first, with a sentence.
const shared = { testTimeout: 180_000, hookTimeout: 180_000, pool: 'forks' }

export default defineConfig({
  test: {
    // Much of the time is spent waiting for servers and leases, so two files at once pay on the smallest machine too.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: process.env.CI ? ['verbose'] : ['default'],
    projects: [
      { test: { ...shared, name: 'repo', include: ['test/repo/**/*.test.ts'] } },
      { test: { ...shared, name: 'pure', include: ['test/{unit,property,golden}/**/*.test.ts'] } },
      {
        test: {
          ...shared,
          name: 'servers',
          include: ['test/{conformance,integration,faults,hostile}/**/*.test.ts'],
          globalSetup: ['test/global-setup.ts'],
        },
      },
    ],
  },
})
