/** Several series that lie in one frame of bars one after the other, as a spec pins them (`data_parts`): views, no copies. */
import { SweepmillError } from '../../base/errors.js'
import type { BarColumns } from '../../market/layout.js'
import type { BacktestSpec } from '../specs/backtest-spec.js'
import { sliceBars } from './prepare-bars.js'

/** The whole frame where nothing is pinned. Throws SPEC_INVALID for counts that are not those of the bars. */
export function frameParts(bars: BarColumns, { bars: { parts } }: Pick<BacktestSpec, 'bars'>): BarColumns[] {
  if (parts === undefined) return [bars]
  const total = parts.reduce((sum, count) => sum + count, 0)
  if (total !== bars.length) {
    throw new SweepmillError('SPEC_INVALID', `data_parts counts ${total} bars, but the data have ${bars.length}; leave data_parts and data_hash out to have them pinned anew.`, { details: { path: 'data_parts' } })
  }
  let from = 0
  return parts.map((count) => {
    from += count
    return sliceBars(bars, from - count, from)
  })
}
