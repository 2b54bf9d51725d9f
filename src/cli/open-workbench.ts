/** The one place where the commands meet threads, services and store. Imported when it is needed: `--help` loads none of it. */
import { systemClock } from '../base/clock.js'
import { environment, statePlacesHere } from '../runtime/config.js'
import { placeRemarks } from './place-remarks.js'
import type { OpenWorkbench } from './session.js'

export const openWorkbench: OpenWorkbench = async (options) => {
  const [{ RuntimeWorkbench }, { createComputePool }, { openServices }, { Postgres }, { migrate }] = await Promise.all([
    import('./runtime-workbench.js'), import('../pool/compute-pool.js'), import('../services/services.js'),
    import('../store/postgres.js'), import('../store/migrate.js'),
  ])
  const { config, log } = options
  const tell = options.note ?? ((line: string): void => { log.info(line) })
  return new RuntimeWorkbench(options, {
    pool: createComputePool({ threads: config.workerThreads, heapMb: config.threadHeapMb, stallMs: config.threadStallMs, weights: config.priorityWeights, clock: systemClock }),
    clock: systemClock,
    findServices: () => openServices({
      stateDir: config.stateDir, redisUrl: config.redisUrl, databaseUrl: config.databaseUrl, log: tell,
      starting: () => { if (config.sources.STATE_DIR === 'default') placeRemarks(statePlacesHere(environment())).forEach(tell) },
    }),
    migrate: async (databaseUrl) => {
      const postgres = new Postgres({ databaseUrl, maxConnections: 2 })
      try {
        const { applied, tables, changes } = await migrate(postgres)
        const named = <T extends { readonly table: string }>({ table, ...rest }: T): Omit<T, 'table'> & { name: string } => ({ name: table, ...rest })
        return { applied, tables: tables.map(named), changes: changes.map(named) }
      } finally {
        await postgres.close()
      }
    },
  })
}
