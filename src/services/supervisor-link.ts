/**
 * The connection to the supervisor: its answers in order, null once it is gone; log lines go to the caller's log.
 * It keeps the process alive only while an answer is awaited, so that a user who merely holds it can end.
 */
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { FromSupervisor, ToSupervisor } from './supervisor.js'

export type Reply = Exclude<FromSupervisor, { kind: 'log' }>

export class SupervisorLink {
  readonly #socket: Socket
  readonly #waiting: ((reply: Reply | null) => void)[] = []
  readonly #arrived: Reply[] = []
  /** Resolves when the connection is over, whoever ended it. */
  readonly closed: Promise<void>
  #ended = false

  constructor(socket: Socket, log: (line: string) => void) {
    this.#socket = socket
    // readline passes its input's errors on; the socket's own 'close' follows each of them.
    createInterface({ input: socket }).on('error', () => undefined).on('line', (line) => {
      const message = JSON.parse(line) as FromSupervisor
      if (message.kind === 'log') log(message.line)
      else this.#arrive(message)
    })
    socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#ended = true
        for (const resolveWaiting of this.#waiting.splice(0)) resolveWaiting(null)
        resolve()
      })
    })
    socket.unref()
  }

  get ended(): boolean {
    return this.#ended
  }

  send(message: ToSupervisor): void {
    this.#socket.write(`${JSON.stringify(message)}\n`)
  }

  next(): Promise<Reply | null> {
    const first = this.#arrived.shift()
    if (first !== undefined) return Promise.resolve(first)
    if (this.#ended) return Promise.resolve(null)
    this.#socket.ref()
    return new Promise((resolve) => { this.#waiting.push(resolve) })
  }

  close(): Promise<void> {
    this.#socket.destroy()
    return this.closed
  }

  #arrive(message: Reply): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#arrived.push(message)
    else waiting(message)
    if (this.#waiting.length === 0) this.#socket.unref()
  }
}
