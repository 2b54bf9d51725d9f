/**
 * The HTTP server: routes, who may use them, and one shape for every error.
 *
 * It computes nothing and knows nothing of Redis or Postgres; all work goes through `Backend`. Every
 * reply that is not a success is {"error": {"code", "message", "details"}}, whether the fault is a
 * route's, the router's or the HTTP parser's. Stacks stay in the log.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import swagger from '@fastify/swagger'
import { errorCodes, fastify, LogController } from 'fastify'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { systemClock } from '../base/clock.js'
import { SweepmillError } from '../base/errors.js'
import type { ErrorCode } from '../base/errors.js'
import { jsonValue } from '../base/json-value.js'
import type { Backend } from '../tasks/backend.js'
import type { HealthReport } from '../telemetry/health.js'
import type { Logger } from '../telemetry/logger.js'
import type { Metrics } from '../telemetry/registry.js'
import { BearerAuth } from './bearer-auth.js'
import { whenOver } from './caller.js'
import { assertExposure, listenError } from './exposure.js'
import type { ListenOptions } from './exposure.js'
import { addDlqRoutes } from './dlq-routes.js'
import { assertOwnPage, changes, saysJson } from './page-origin.js'
import { addQueueRoutes } from './queue-routes.js'
import { addProbeRoutes, PROBES } from './probe-routes.js'
import { RequestBodies } from './request-body.js'
import { assertKeysOnce, assertQueryText, assertTaken, bodyText } from './request-text.js'
import { addTaskRoutes } from './task-routes.js'

/** Of connections: a request that waits for its turn takes some 20 KiB. */
const MOST_CONNECTIONS = 4096
/** Of the head of a request, and of a whole one whose body no route reads. Node.js looks so often. */
const TIMES = { headersTimeout: 10_000, requestTimeout: 40_000, connectionsCheckingInterval: 1000 }

export interface HttpServerOptions {
  readonly backend: Backend<HealthReport>
  readonly metrics: Metrics
  readonly config: ListenOptions & { readonly dataRoots: readonly string[] }
  readonly log: Logger
  readonly version: string
}

const CLOSE_WITHIN_MS = 2000

export interface HttpServer {
  /** CONFIG_INVALID, PORT_IN_USE. */
  listen(): Promise<{ readonly host: string; readonly port: number; readonly url: string }>
  /** Stops accepting and lets requests in hand end, for two seconds at most. */
  close(): Promise<void>
  /** For `inject`: requests without a socket. */
  readonly app: FastifyInstance
}

export async function createHttpServer({ backend, metrics, config, log, version }: HttpServerOptions): Promise<HttpServer> {
  assertExposure(config)
  // Widened, so that the server's type does not carry pino's.
  const loggerInstance: FastifyBaseLogger = log
  const app = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: TIMES.requestTimeout,
    http: TIMES,
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, request, reply) => { sendError(error, request, reply) },
  })
  // Only JSON is read, and an empty body is none.
  app.removeAllContentTypeParsers()
  app.server.maxConnections = MOST_CONNECTIONS
  const bodies = new RequestBodies(systemClock)
  /** A parser of bodies is not told the reply. */
  const responses = new WeakMap<IncomingMessage, ServerResponse>()
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', async (request: FastifyRequest, stream: IncomingMessage) => {
    const body = await bodies.read(stream, request.headers['content-length'], (release) => { whenOver(responses.get(request.raw)!, release) })
    if (body.length === 0) return undefined
    const text = bodyText(body)
    const json: unknown = await new Promise((resolve, reject) => {
      void parseJson(request, text, (error, parsed) => { if (error === null) resolve(parsed); else reject(error) })
    })
    assertKeysOnce(text)
    return json
  })
  // The schemas of the routes describe; parsing and its errors are ours, and results pass through as they are.
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))

  const auth = new BearerAuth(config.apiTokens)
  app.addHook('onRequest', async (request, reply) => {
    responses.set(request.raw, reply.raw)
    const { method, headers, routeOptions: { url: route } } = request
    if (changes(method)) assertOwnPage(headers)
    if (route !== undefined && PROBES.includes(route)) return
    auth.check(headers.authorization, request.hostname)
    if (changes(method) && route !== undefined && !saysJson(headers['content-type'])) throw new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE()
  })
  // What could not be stored, or would arrive otherwise from the store, is refused before anything is made of it.
  app.addHook('preHandler', async ({ body, query, raw, routeOptions: { url: route, schema } }) => {
    if (body !== undefined) jsonValue(body, '', 'refuse')
    if (route === undefined || PROBES.includes(route)) return
    assertQueryText(raw.url ?? '')
    assertTaken(schema ?? {}, query, body)
  })
  app.setErrorHandler(sendError)
  app.setNotFoundHandler((request, reply) => {
    sendError(new SweepmillError('ROUTE_NOT_FOUND', `There is no ${request.method} ${request.url.split('?')[0]}; GET /api/docs lists what there is.`), request, reply)
  })

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Sweepmill', version, description: 'Backtests and parameter sweeps as tasks.' },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      ...(config.apiTokens.length === 0 ? {} : { security: [{ token: [] }] }),
    },
  })
  addTaskRoutes(app, backend, config.dataRoots)
  addDlqRoutes(app, backend)
  addQueueRoutes(app, backend)
  addProbeRoutes(app, backend, metrics)
  app.get('/api/docs', { schema: { summary: 'This document' } }, async () => app.swagger())
  await app.ready()

  return {
    async listen() {
      try {
        await app.listen({ host: config.httpHost, port: config.httpPort })
      } catch (error) {
        throw listenError(error, config)
      }
      const { address, port } = app.server.address() as AddressInfo
      return { host: address, port, url: `http://${address.includes(':') ? `[${address}]` : address}:${port}` }
    },
    close: async () => {
      // A request that was only half sent would otherwise hold a stopping daemon for minutes.
      const cut = systemClock.after(CLOSE_WITHIN_MS, () => { app.server.closeAllConnections() })
      await app.close()
      cut()
    },
    app,
  }
}

const CUT_OFF: ReadonlySet<ErrorCode> = new Set(['PAYLOAD_TOO_LARGE', 'REQUEST_TIMEOUT', 'SERVER_BUSY'])

function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { error, status } = translate(thrown)
  if (status >= 500) request.log.error({ err: thrown, method: request.method, url: request.url }, 'request failed')
  if (error.code === 'UNAUTHORIZED') void reply.header('www-authenticate', 'Bearer')
  if (error.retryable) void reply.header('retry-after', '1')
  // What is left of the body is not read.
  if (CUT_OFF.has(error.code)) void reply.header('connection', 'close')
  void reply.code(status).type('application/json; charset=utf-8').send(errorBody(error))
}

function errorBody(error: SweepmillError): string {
  const { code, message, details } = error.toData()
  return JSON.stringify({ error: { code, message, ...(details === undefined ? {} : { details }) } })
}

/** Fastify's own errors say it well enough for a caller; anything unknown says nothing of our insides. */
function translate(thrown: unknown): { error: SweepmillError; status: number } {
  if (thrown instanceof SweepmillError && thrown.code !== 'INVARIANT') return { error: thrown, status: thrown.httpStatus }
  const { code, statusCode, message } = thrown as { code?: string; statusCode?: number; message?: string }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return { error: new SweepmillError('REQUEST_INVALID', 'What changes something must be JSON in UTF-8, also without a body: send the header "Content-Type: application/json".'), status: 415 }
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return { error: new SweepmillError('REQUEST_INVALID', `The request cannot be read: ${(message ?? 'it is malformed').replace(/\.+$/, '')}.`), status: statusCode }
  }
  return { error: new SweepmillError('INVARIANT', 'The server failed in a way it should not; its log says how.', { cause: thrown }), status: 500 }
}

/** Bytes that are no HTTP request, or not all of one: there is no reply object, so the answer is written by hand. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  const body = errorBody(late ? new SweepmillError('REQUEST_TIMEOUT', 'The request did not come in time. Send all of it at once.')
    : new SweepmillError('REQUEST_INVALID', 'The bytes sent are not an HTTP request.'))
  socket.end(`HTTP/1.1 ${late ? '408 Request Timeout' : '400 Bad Request'}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`)
}
