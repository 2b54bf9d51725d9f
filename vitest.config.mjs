// Three projects, so that `npm run check` can run the repository's own rules alone, in seconds,
// while `npm test` runs everything. Servers are started once for the whole run by test/global-setup.ts.
import { defineConfig } from 'vitest/config'

const shared = { testTimeout: 60_000, hookTimeout: 120_000, pool: 'forks' }

export default defineConfig({
  test: {
    reporters: process.env.CI ? ['verbose'] : ['default'],
    projects: [
      { test: { ...shared, name: 'repo', include: ['test/repo/**/*.test.ts'] } },
      { test: { ...shared, name: 'pure', include: ['test/{unit,property,golden}/**/*.test.ts'] } },
      {
        test: {
          ...shared,
          name: 'servers',
          include: ['test/{conformance,integration,faults}/**/*.test.ts'],
          globalSetup: ['test/global-setup.ts'],
        },
      },
    ],
  },
})
