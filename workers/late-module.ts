/**
 * A package that a thread loads when it first needs it. Node.js keeps a load that failed for want of open files or memory for as
 * long as the thread lives, so such a thread ends: its step is tried again in a new one, which loads with room.
 */
import { machineTrouble } from '../src/base/errors.js'

export async function lateModule<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (thrown) {
    // In a thread this ends the thread alone. The pool hears that the step's thread is lost, which is tried again.
    if (machineTrouble(thrown) !== null) process.exit(1)
    throw thrown
  }
}
