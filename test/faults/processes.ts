/** Child processes of fault tests: started with an order, read line by line, ended with the test. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../../src/base/package-root.js'
import type { ChildOrder } from './child.js'

export type ChildMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'accepted'; readonly taskId: string }
  | { readonly kind: 'fenced'; readonly write: string }
  | { readonly kind: 'passed'; readonly point: string }

export interface Child {
  readonly process: ChildProcess
  readonly messages: ChildMessage[]
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals | null>
  /** Ids that the child was told were accepted. */
  accepted(): string[]
}

const FAST = { WORKER_THREADS: '1', LEASE_MS: '1000', RECOVERY_INTERVAL_SEC: '1', POLL_INTERVAL_MS: '200', LOG_LEVEL: 'silent' }

export class Children {
  readonly #children: Child[] = []

  start(order: ChildOrder, environment: Readonly<Record<string, string>>): Child {
    const child = spawn(process.execPath, [join(packageRoot, 'dist', 'test', 'faults', 'child.js'), JSON.stringify(order)], {
      env: { PATH: process.env['PATH'], ...FAST, ...environment }, stdio: ['ignore', 'pipe', 'inherit'],
    })
    const messages: ChildMessage[] = []
    createInterface({ input: child.stdout }).on('line', (line) => { messages.push(JSON.parse(line) as ChildMessage) })
    const started: Child = {
      process: child, messages,
      exited: new Promise((resolve) => { child.once('close', (code, signal) => resolve(signal ?? code)) }),
      accepted: () => messages.flatMap((message) => (message.kind === 'accepted' ? [message.taskId] : [])),
    }
    this.#children.push(started)
    return started
  }

  get all(): readonly Child[] { return this.#children }

  async killAll(): Promise<void> {
    for (const { process: child } of this.#children) child.kill('SIGKILL')
    await Promise.all(this.#children.splice(0).map(({ exited }) => exited))
  }
}
