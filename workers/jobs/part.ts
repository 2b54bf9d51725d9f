/**
 * A job in parts: a pulse that says stop once the part's time is over, so that no step of a sweep holds its thread for long. Something
 * is always done before. A cancelled job throws. Without `most_ms` in its input a job is done in one part.
 */
import { SweepmillError } from '../../src/base/errors.js'
import type { Pulse } from '../../src/engine/index.js'
import type { JobCall } from './job.js'

export function partOf({ input, pulse, surroundings: { nowMs } }: Pick<JobCall, 'input' | 'pulse' | 'surroundings'>): Pulse {
  const mostMs = input['most_ms']
  const endMs = typeof mostMs === 'number' ? nowMs() + mostMs : Number.POSITIVE_INFINITY
  return {
    beat: (done, total) => {
      if (pulse.beat(done, total)) throw stopped()
      return done > 0 && nowMs() >= endMs
    },
  }
}

export function stopped(): SweepmillError {
  return new SweepmillError('TASK_CANCELLED', 'The step was cancelled.')
}
