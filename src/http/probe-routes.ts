/**
 * What machines ask: probes and metrics. Probes need no token; /metrics does.
 * /livez answers while the event loop turns, whatever else is broken: a restart would not mend Redis.
 */
import type { FastifyInstance } from 'fastify'
import type { FleetView } from '../tasks/backend.js'
import type { HealthReport } from '../telemetry/health.js'
import type { Metrics } from '../telemetry/registry.js'

export const PROBES: readonly string[] = ['/health', '/livez', '/readyz']

export function addProbeRoutes(app: FastifyInstance, backend: FleetView<HealthReport>, metrics: Metrics): void {
  app.get('/livez', { schema: { summary: 'Alive' } }, async () => ({ status: 'alive' }))
  app.get('/readyz', { schema: { summary: 'Takes work' } }, async (_request, reply) => {
    const ready = await backend.ready()
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not_ready' })
  })
  app.get('/health', { schema: { summary: 'State of this worker' } }, async (_request, reply) => {
    const report = await backend.health()
    return reply.code(report.status === 'unhealthy' ? 503 : 200).send(report)
  })
  app.get('/metrics', { schema: { summary: 'Prometheus metrics' } }, async (_request, reply) =>
    reply.header('content-type', metrics.contentType).send(await metrics.exposition()))
}
