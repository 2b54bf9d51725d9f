/**
 * `sweepmill worker`: the daemon. It takes tasks until it is told to stop, and serves HTTP meanwhile.
 *
 * The first SIGTERM or SIGINT stops it gracefully: no new request, no new task, work in hand is ended or
 * handed back. The second ends it at once; its leases lapse and another worker takes over.
 */
import { Command } from 'commander'
import { assertListenable } from '../../http/exposure.js'
import { Metrics } from '../../telemetry/registry.js'
import type { Invocation, Invocations } from '../context.js'
import { Interrupted } from '../failure.js'
import { WORKER_HELP } from '../help-text.js'
import { interruptible } from '../interrupt.js'

export function workerCommand(invocations: Invocations): Command {
  return invocations.command(new Command('worker').description('take tasks and serve HTTP until stopped').addHelpText('after', WORKER_HELP), runWorker)
}

async function runWorker(invocation: Invocation): Promise<void> {
  const { context, output } = invocation
  const config = invocation.config()
  await assertListenable(config)
  const log = invocation.logger(config, true)
  const metrics = new Metrics(context.version)
  const workbench = await context.openWorkbench({ config, log, metrics })
  try {
    const backend = await workbench.connect('worker')
    // Loaded here, because no other command should wait for an HTTP server to be read.
    const { createHttpServer } = await import('../../http/server.js')
    const server = await createHttpServer({ backend, metrics, config, log, version: context.version })
    try {
      const address = await server.listen()
      log.info({ url: address.url, threads: config.workerThreads, version: context.version }, 'worker ready')
      output.document({ worker_name: config.workerName, url: address.url, host: address.host, port: address.port, threads: config.workerThreads })
      output.text(`${config.workerName} takes tasks with ${config.workerThreads} threads and serves ${address.url}`)
      await interruptible(untilAborted, () => { log.info('stopping: work in hand is ended or handed back') })
    } catch (error) {
      // Being told to stop is how a daemon ends well.
      if (!(error instanceof Interrupted)) throw error
    } finally {
      await server.close()
    }
  } finally {
    await workbench.close()
    log.info('worker stopped')
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => { reject(signal.reason as Error) }, { once: true })
  })
}
