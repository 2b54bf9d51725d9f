/** The error a call throws, as code and message, for tests of refusals. */
import { SweepmillError } from '../../../src/base/errors.js'

export function refusal(call: () => unknown): { code: string; message: string; details: unknown } {
  try {
    call()
  } catch (thrown) {
    if (thrown instanceof SweepmillError) return { code: thrown.code, message: thrown.message, details: thrown.details }
    throw thrown
  }
  throw new Error('nothing was refused')
}
