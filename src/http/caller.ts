/** Whether who sent a request still waits for the answer: work for nobody is not begun, and what runs of it is cancelled. */
import type { ServerResponse } from 'node:http'
import { SweepmillError } from '../base/errors.js'

/** Aborts when the connection closes before the answer is out. */
export function callerSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  whenOver(response, () => {
    if (!response.writableFinished) gone.abort(new SweepmillError('TASK_CANCELLED', 'The caller went away before the answer.'))
  })
  return gone.signal
}

/** Calls once when the answer is out, or nobody waits for it any more. */
export function whenOver(response: ServerResponse, call: () => void): void {
  if (response.destroyed) call()
  else response.once('close', call)
}
