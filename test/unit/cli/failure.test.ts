/** Exit codes: 2 for what the caller can mend, 1 for the rest. */
import { expect, test } from 'vitest'
import { ERRORS, SweepmillError } from '../../../src/base/errors.js'
import type { ErrorCode } from '../../../src/base/errors.js'
import { exitCodeOf } from '../../../src/cli/failure.js'

test('every code of bad input is exit 2, a strategy\'s own faults with it; nothing else is', () => {
  const mendable = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => exitCodeOf(new SweepmillError(code, '')) === 2)
  expect(mendable).toEqual(expect.arrayContaining(['DATA_INVALID', 'SPEC_INVALID', 'PARAM_INVALID', 'STRATEGY_FAILED', 'STRATEGY_TIMEOUT', 'PORT_IN_USE', 'TASK_NOT_FOUND']))
  for (const code of ['TASK_TIMEOUT', 'COMPUTE_FAILED', 'OUT_OF_MEMORY', 'THREAD_LOST', 'SERVICE_MISSING', 'SCHEMA_TOO_NEW', 'INVARIANT', 'QUEUE_FULL']) expect(mendable).not.toContain(code)
})
