/**
 * A connection to Postgres. What goes out passes the gate for text; what comes in must be Postgres's protocol; what fails
 * is an error of ours. It holds for every statement, whoever sends it, because there is no other kind of connection.
 *
 * The driver reads in a listener of its socket, where whatever it throws would end the process: here it ends the
 * connection, and whoever waited for it is told that Postgres does not answer.
 */
import type { Socket } from 'node:net'
import pg from 'pg'
import { asOurs } from './postgres-failure.js'
import { ProtocolFrames } from './protocol-frames.js'
import { storableValues } from './text-gate.js'

interface Statement { readonly text?: unknown; readonly values?: unknown; readonly submit?: unknown }
type Answer = (error: unknown, result?: pg.QueryResult) => void

/** What pg's connection does with a socket; its types leave it out. */
interface Wire {
  readonly stream: Socket
  attachListeners(stream: Pick<Socket, 'on'>): void
}

export class Connection extends pg.Client {
  readonly #wire: Wire

  constructor(config?: pg.ClientConfig) {
    super(config)
    // A connection may break while nobody waits for it; who does is told by the statement.
    this.on('error', () => undefined)
    const wire = (this as unknown as { readonly connection: Wire }).connection
    this.#wire = wire
    const attach = wire.attachListeners.bind(wire)
    wire.attachListeners = (stream) => { attach(guarded(stream as Socket)) }
    const send = this.query.bind(this) as (...args: unknown[]) => unknown
    const columns = new ColumnMemory((error) => { wire.stream.destroy(error) })
    this.query = ((first: unknown, ...rest: unknown[]): unknown => {
      // What is its own query (a COPY) has no values here, and tells of errors in its own way.
      if ((first as Statement | null)?.submit !== undefined) return send(first, ...rest)
      const args = storableArguments(first, rest)
      const last = args.at(-1)
      if (typeof last === 'function') {
        const answer = last as Answer
        return send(...args.slice(0, -1), ((error, result) => {
          const trouble = error ?? columns.changed(first, result)
          if (trouble) answer(asOurs(trouble))
          else answer(error, result)
        }) satisfies Answer)
      }
      return (send(...args) as Promise<pg.QueryResult>).then((result) => {
        const trouble = columns.changed(first, result)
        if (trouble !== null) throw asOurs(trouble)
        return result
      }, (error: unknown) => { throw asOurs(error) })
    }) as typeof this.query
  }

  /** Ends it in the middle of whatever it does. */
  destroy(): void {
    this.#wire.stream.destroy()
  }
}

function storableArguments(first: unknown, rest: readonly unknown[]): unknown[] {
  const { text, values } = (typeof first === 'string' ? { text: first } : first ?? {}) as Statement
  if (typeof text !== 'string') return [first, ...rest]
  if (Array.isArray(values)) return [{ ...first as object, values: storableValues(text, values) }, ...rest]
  const [later, ...others] = rest
  return Array.isArray(later) ? [first, storableValues(text, later), ...others] : [first, ...rest]
}

/** The same socket to a reader whose errors end the connection. A COPY reads by `readable` and hands back between messages. */
function guarded(stream: Socket): Pick<Socket, 'on'> {
  const emit = stream.emit.bind(stream) as (...args: unknown[]) => boolean
  stream.emit = ((event: unknown, ...args: unknown[]): boolean => {
    if (event !== 'data' && event !== 'readable') return emit(event, ...args)
    try {
      return emit(event, ...args)
    } catch (error) {
      stream.destroy(error as Error)
      return true
    }
  }) as typeof stream.emit
  const frames = new ProtocolFrames()
  return {
    on: (event: string, listener: (piece: Buffer) => void) => stream.on(event, event !== 'data' ? listener : (piece: Buffer) => {
      frames.feed(piece)
      listener(piece)
    }),
  } as Pick<Socket, 'on'>
}

/**
 * A statement has the columns that it had the last time: half of what comes back are their names, and a row without one of
 * them would look like a defect of ours, which no later try mends. A change (a migration) costs one try.
 */
class ColumnMemory {
  static readonly #known = new Map<string, string>()
  static readonly #MOST = 1000
  readonly #drop: (error: Error) => void

  constructor(drop: (error: Error) => void) {
    this.#drop = drop
  }

  changed(statement: unknown, result: pg.QueryResult | undefined): Error | null {
    const text = typeof statement === 'string' ? statement : (statement as Statement).text
    if (typeof text !== 'string' || result === undefined || Array.isArray(result) || result.fields.length === 0) return null
    let columns = ''
    for (const { name, dataTypeID } of result.fields) columns += `${name} ${dataTypeID},`
    const known = ColumnMemory.#known.get(text)
    if (known === columns) return null
    if (known === undefined) {
      if (ColumnMemory.#known.size < ColumnMemory.#MOST) ColumnMemory.#known.set(text, columns)
      return null
    }
    ColumnMemory.#known.delete(text)
    const error = new Error('A statement came back with other columns than before; the schema was changed just now, or something on the way changes bytes')
    this.#drop(error)
    return error
  }
}
