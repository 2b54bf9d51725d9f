/** Real Redis and Postgres for the whole test run: the environment's, else embedded ones that are stopped at the end. */
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { packageRoot } from '../src/base/package-root.js'
import { openServices } from '../src/services/services.js'

declare module 'vitest' {
  export interface ProvidedContext {
    redisUrl: string
    databaseUrl: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const services = await openServices({
    stateDir: join(process.env['STATE_DIR'] ?? join(packageRoot, '.sweepmill-test'), 'test'),
    redisUrl: process.env['REDIS_URL'], databaseUrl: process.env['DATABASE_URL'],
    log: (line) => { console.log(line) },
  })
  project.provide('redisUrl', services.redisUrl)
  project.provide('databaseUrl', services.databaseUrl)
  return () => services.stop()
}
