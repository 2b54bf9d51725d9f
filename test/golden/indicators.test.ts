/** Bar by bar against TA-Lib's values (recorded with ten digits), and the same first bars. */
import { describe, expect, test } from 'vitest'
import { ta } from '../../src/engine/index.js'
import { expectClose, goldenDir, goldenRows, googBars, skipReason } from './golden-data.js'

describe.skipIf(goldenDir === undefined)(`TA-Lib's columns${goldenDir === undefined ? ` (${skipReason})` : ''}`, () => {
  const columns: readonly [name: string, compute: (bars: ReturnType<typeof googBars>) => Float64Array][] = [
    ['SMA_20', ({ close }) => ta.sma(close, 20)],
    ['EMA_20', ({ close }) => ta.ema(close, 20)],
    ['RSI_14', ({ close }) => ta.rsi(close, 14)],
    ['ATR_14', ({ high, low, close }) => ta.atr(high, low, close, 14)],
    ['TRANGE', ({ high, low, close }) => ta.trueRange(high, low, close)],
    ['MACD_12_26_9', ({ close }) => ta.macd(close, 12, 26, 9).macd],
    ['MACD_signal', ({ close }) => ta.macd(close, 12, 26, 9).signal],
    ['MACD_hist', ({ close }) => ta.macd(close, 12, 26, 9).histogram],
    ['BB_upper_20_2', ({ close }) => ta.bollinger(close, 20, 2).upper],
    ['BB_middle', ({ close }) => ta.bollinger(close, 20, 2).middle],
    ['BB_lower', ({ close }) => ta.bollinger(close, 20, 2).lower],
    ['STOCH_slowK_14_3', ({ high, low, close }) => ta.stochastic(high, low, close, 14, 3, 3).k],
    ['STOCH_slowD_3', ({ high, low, close }) => ta.stochastic(high, low, close, 14, 3, 3).d],
    ['ADX_14', ({ high, low, close }) => ta.adx(high, low, close, 14)],
    ['SAR', ({ high, low }) => ta.parabolicSar(high, low, 0.02, 0.2)],
  ]
  test.each(columns)('%s', (name, compute) => {
    const rows = goldenRows('talib_goog.csv')
    const values = compute(googBars())
    expect(values.length).toBe(rows.length)
    rows.forEach((row, bar) => {
      const recorded = row[name] ?? ''
      const value = values[bar] ?? NaN
      if (recorded === '') expect([bar, value]).toEqual([bar, NaN])
      else expectClose(value, Number(recorded), `${name} at bar ${bar}`)
    })
  })
})
