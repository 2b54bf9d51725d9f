/** Placeholder until the report lands. */
import { SweepmillError } from '../../src/base/errors.js'
import type { Step } from '../step.js'

export const renderSweep: Step = () => { throw new SweepmillError('NOT_SUPPORTED', 'no report yet') }
export const renderBacktest: Step = renderSweep
