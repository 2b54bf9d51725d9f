/** What Redis is told once rows have changed. Without Redis the rows stand all the same, and the reconciler makes up for it. */
import { hasCode } from '../base/errors.js'

export async function afterCommit(follow: () => Promise<unknown>): Promise<void> {
  try {
    await follow()
  } catch (thrown) {
    if (!hasCode(thrown, 'REDIS_UNAVAILABLE')) throw thrown
  }
}
