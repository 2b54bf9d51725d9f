/**
 * The bars that this thread has handles on, and letting go of them when the main thread recalls them.
 *
 * Counted by what was really collected: every handle is registered with a FinalizationRegistry, whose callbacks run
 * some turns of the event loop after a collection. Nothing here keeps a handle alive.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { BroadcastChannel, threadId } from 'node:worker_threads'
import { collectGarbage } from '../src/base/garbage.js'
import type { RecallAnswer, RecallRequest, ThreadListening } from '../src/pool/recall-message.js'

const TURNS = 5

const alive = new Map<string, number>()
const registry = new FinalizationRegistry<string>((dataHash) => {
  const left = (alive.get(dataHash) ?? 1) - 1
  if (left === 0) alive.delete(dataHash)
  else alive.set(dataHash, left)
})

/** Every buffer of bars that comes into this thread or is made in it passes here once. */
export function noteHandle(dataHash: string, buffer: SharedArrayBuffer): void {
  alive.set(dataHash, (alive.get(dataHash) ?? 0) + 1)
  registry.register(buffer, dataHash)
}

/** `forget` drops whatever the thread keeps between steps for these bars. */
export function answerRecalls(channelName: string, forget: (dataHash: string) => void): void {
  const channel = new BroadcastChannel(channelName)
  channel.unref()
  channel.addEventListener('message', (event) => {
    const { type, recall, threadIds, dataHash } = (event as MessageEvent as { data: RecallRequest }).data
    // What other threads say arrives here too.
    if (type !== 'recall' || !threadIds.includes(threadId)) return
    forget(dataHash)
    void count(dataHash).then((handles) => {
      channel.postMessage({ type: 'answer', recall, threadId, handles } satisfies RecallAnswer)
    })
  })
  channel.postMessage({ type: 'listening', threadId } satisfies ThreadListening)
}

async function count(dataHash: string): Promise<number> {
  if (!alive.has(dataHash)) return 0
  // Not in the turn that dropped them: what was touched in a turn lives to its end.
  await turn()
  await collectGarbage()
  for (let i = 0; i < TURNS && alive.has(dataHash); i += 1) await turn()
  return alive.get(dataHash) ?? 0
}
