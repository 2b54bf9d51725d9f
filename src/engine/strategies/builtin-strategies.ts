/** The strategies that need no file, by name. */
import { SweepmillError } from '../../base/errors.js'
import { bollingerBreakout } from './bollinger-breakout.js'
import { bollingerReversion } from './bollinger-reversion.js'
import { buyAndHold } from './buy-and-hold.js'
import { donchianBreakout } from './donchian-breakout.js'
import { emaCross } from './ema-cross.js'
import { keltnerBreakout } from './keltner-breakout.js'
import { macdCross } from './macd-cross.js'
import { momentum } from './momentum.js'
import { nearest } from '../specs/nearest.js'
import { rsiReversion } from './rsi-reversion.js'
import { smaCross } from './sma-cross.js'
import { superTrend } from './super-trend.js'
import { zScorePair } from './z-score-pair.js'
import type { Strategy } from './strategy.js'

export const builtinStrategies: ReadonlyMap<string, Strategy> = new Map(
  [
    smaCross, emaCross, macdCross, rsiReversion, bollingerReversion, bollingerBreakout, donchianBreakout, superTrend, keltnerBreakout, momentum, zScorePair, buyAndHold,
  ].map((strategy) => [strategy.name, strategy]),
)

/** The built-in strategy of this name, or STRATEGY_UNKNOWN with the names that exist. */
export function builtinStrategy(name: string): Strategy {
  const found = builtinStrategies.get(name)
  if (found !== undefined) return found
  const known = [...builtinStrategies.keys()]
  const guess = nearest(name, known)
  throw new SweepmillError('STRATEGY_UNKNOWN',
    `No strategy is called "${name}"${guess === undefined ? '.' : `; did you mean "${guess}"?`} Built in are ${known.join(', ')}; a strategy of your own is named by its file.`,
    { details: { name, known } })
}
