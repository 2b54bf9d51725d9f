/**
 * Against TA-Lib, on bars made here from a generator of whole numbers: its values at the first bar, the next, the
 * first + 7, and bars 120 and 199, recorded with ten digits. (What TA-Lib gives on real bars is in test/golden.)
 */
import { expect, test } from 'vitest'
import { ta } from '../../../src/engine/index.js'
import type { ColumnIndicator } from '../../../src/engine/indicators/indicators.js'
import { INDICATOR_FACTS } from '../../../src/engine/indicators/indicator-facts.js'
import { columnIndicators, whole } from '../../property/engine-indicators.js'
import { REFERENCES } from './indicators-references.js'
import { walk } from './indicators-walk.js'

const inputs = { ...walk(200), y: walk(200).open }

const RECORDED: readonly [name: ColumnIndicator, args: number[], output: string, values: number[]][] = [
  ['sma', [20], 'value', [47.9615, 47.93, 47.945, 56.035, 61.919]],
  ['ema', [20], 'value', [47.9615, 48.00135714, 48.20820288, 55.59989202, 61.45017141]],
  ['wma', [20], 'value', [47.81461905, 47.85447619, 48.13366667, 55.3772381, 61.75528571]],
  ['dema', [20], 'value', [51.0376802, 51.4798226, 53.07656092, 55.01570746, 61.9028853]],
  ['tema', [20], 'value', [51.35955922, 50.75552795, 49.33541406, 53.8100124, 61.35963416]],
  ['kama', [10], 'value', [47.48858344, 47.48792024, 47.48794566, 55.48445409, 61.02744051]],
  ['trima', [30], 'value', [47.93716667, 47.99416667, 48.559375, 57.257875, 61.70475]],
  ['t3', [5, 0.7], 'value', [47.94249603, 48.21220347, 50.57610635, 54.34690728, 61.23737238]],
  ['rsi', [14], 'value', [37.48191027, 40.45170183, 40.97363923, 36.86807597, 46.5046332]],
  ['cmo', [14], 'value', [-25.03617945, -19.09659633, -18.05272154, -26.26384807, -6.990733602]],
  ['momentum', [10], 'value', [-0.91, -1.9, -0.39, -2.33, -1.51]],
  ['roc', [10], 'value', [-1.856763926, -3.847711624, -0.8081226689, -4.154038153, -2.430779137]],
  ['trix', [15], 'value', [0.317597438, 0.3281259937, 0.3056832878, -0.03984327733, 0.1299470901]],
  ['apo', [12, 26], 'value', [0.2034345259, 0.2383170511, 0.6640077036, -0.5694172438, 0.2480110749]],
  ['ppo', [12, 26], 'value', [0.4235538139, 0.4955457371, 1.356828665, -1.022649644, 0.4048294933]],
  ['ultimateOscillator', [7, 14, 28], 'value', [65.6786535, 65.08457624, 42.58735632, 39.17799103, 42.46142395]],
  ['trueRange', [], 'value', [1.48, 1.83, 0.95, 1.92, 1.8]],
  ['atr', [14], 'value', [1.302857143, 1.267653061, 1.280164416, 1.498993033, 1.656234793]],
  ['dx', [14], 'value', [37.94162826, 30.94332134, 28.78139575, 21.51561813, 3.657203132]],
  ['adx', [14], 'value', [18.94448983, 19.22422609, 16.36908414, 18.77456877, 24.82310457]],
  ['adxr', [14], 'value', [18.48707228, 19.42851194, 16.86112343, 25.45048925, 28.58573653]],
  ['plusDi', [14], 'value', [11.0442865, 12.31410223, 10.62908424, 13.57929059, 16.60255499]],
  ['minusDi', [14], 'value', [24.54893384, 23.34965244, 19.2200945, 21.02451278, 15.43102201]],
  ['aroonOscillator', [14], 'value', [-85.71428571, -71.42857143, 50, -100, -21.42857143]],
  ['midpoint', [14], 'value', [48.29, 48.29, 47.79, 55.42, 62.075]],
  ['midprice', [14], 'value', [48.65, 48.1, 47.67, 55.495, 61.95]],
  ['parabolicSar', [0.02, 0.2], 'value', [50.98, 50.922, 49.61093953, 56.370804, 63.2834708]],
  ['cci', [14], 'value', [-70.71428571, -83.28226081, 66.47847565, -126.3041373, -102.0564323]],
  ['williamsR', [14], 'value', [-70.60085837, -73.03370787, -23.7037037, -85.92132505, -83.83838384]],
  ['mfi', [14], 'value', [39.61160382, 50.04010785, 39.22275326, 17.61965762, 46.2274626]],
  ['obv', [], 'value', [1416, 9159, 7976, 50931, 145174]],
  ['ad', [], 'value', [-1416, 4443.567568, 6298.420076, 23662.15979, 37784.31752]],
  ['adOscillator', [3, 10], 'value', [2974.10532, 2954.885876, 1485.358621, -3358.001206, -3414.62127]],
  ['linearRegression', [14], 'value', [47.29657143, 47.24828571, 48.02114286, 53.85571429, 60.99971429]],
  ['linearRegressionSlope', [14], 'value', [-0.1110769231, -0.09949450549, 0.03775824176, -0.2385714286, -0.1382857143]],
  ['linearRegressionIntercept', [14], 'value', [48.74057143, 48.54171429, 47.53028571, 56.95714286, 62.79742857]],
  ['linearRegressionAngle', [14], 'value', [-6.338256797, -5.681915762, 2.16236067, -13.41831497, -7.873254599]],
  ['timeSeriesForecast', [14], 'value', [47.18549451, 47.14879121, 48.0589011, 53.61714286, 60.86142857]],
  ['variance', [20], 'value', [0.32564275, 0.27844, 0.362445, 1.789285, 0.568759]],
  ['rollingSum', [20], 'value', [959.23, 958.6, 958.9, 1120.7, 1238.38]],
  ['rollingMax', [20], 'value', [49.38, 49.38, 49.61, 58.44, 63.62]],
  ['rollingMin', [20], 'value', [47.2, 47.2, 47.2, 53.76, 60.53]],
  ['typicalPrice', [], 'value', [49.66666667, 49.00666667, 48.27, 53.94666667, 60.91666667]],
  ['medianPrice', [], 'value', [49.995, 48.82, 48.275, 54.04, 61.07]],
  ['weightedClose', [], 'value', [49.5025, 49.1, 48.2675, 53.9, 60.84]],
  ['averagePrice', [], 'value', [49.7775, 48.96, 48.24, 54.03, 61.085]],
  ['bop', [], 'value', [-0.5583756345, 0.3783783784, 0.1392405063, -0.2708333333, -0.5444444444]],
  ['rollingCorrelation', [30], 'value', [0.7668249591, 0.82587837, 0.8605239004, 0.9528557744, 0.8007687111]],
  ['macd', [12, 26, 9], 'macd', [0.5336965317, 0.5705817583, 1.097980847, -0.5694172682, 0.2480110749]],
  ['macd', [12, 26, 9], 'signal', [0.4055531434, 0.4385588663, 0.7256091581, -0.1594824827, 0.531655443]],
  ['macd', [12, 26, 9], 'histogram', [0.1281433883, 0.1320228919, 0.3723716888, -0.4099347855, -0.2836443681]],
  ['stochRsi', [14, 14, 1, 3], 'k', [97.20333783, 100, 61.0796597, 6.686614833, 2.262599051]],
  ['stochRsi', [14, 14, 1, 3], 'd', [98.46911646, 99.06777928, 59.56149997, 8.361978951, 19.1338153]],
  ['aroon', [14], 'up', [0, 7.142857143, 85.71428571, 0, 50]],
  ['aroon', [14], 'down', [85.71428571, 78.57142857, 35.71428571, 100, 71.42857143]],
]

test.each(RECORDED)('%s(%j) %s', (name, args, output, values) => {
  const column = whole(name, inputs, args)[output]!
  const first = INDICATOR_FACTS[name].firstBar(...args)
  const bars = [first, first + 1, first + 7, 120, 199]
  expect(values.length).toBe(bars.length)
  bars.forEach((bar, k) => {
    const difference = Math.abs(column[bar]! - values[k]!)
    expect(difference, `bar ${bar}: ${column[bar]}, TA-Lib ${values[k]}`).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(values[k]!)))
  })
  if (first > 0) expect(column[first - 1]).toBeNaN()
})

test('the first values of RSI 14 on the prices of TA-Lib\'s own tests', () => {
  const prices = Float64Array.of(91.5, 94.815, 94.375, 95.095, 93.78, 94.625, 92.53, 92.75, 90.315, 92.47, 96.125, 97.25, 98.5, 89.875, 91, 92.815, 89.155)
  const hundredths = Array.from(ta.rsi(prices, 14).slice(14), (value) => Math.floor(value * 100) / 100)
  expect(hundredths).toEqual([49.14, 52.32, 46.07])
})

test('every indicator is held to TA-Lib here or to its definition in indicators-reference', () => {
  const recorded = RECORDED.map(([name]) => name)
  // Against TA-Lib in test/golden, and by hand in indicators.test.ts.
  const elsewhere = ['bollinger', 'stochastic', 'stddev']
  expect([...new Set([...recorded, ...REFERENCES.map(([name]) => name), ...elsewhere])].sort()).toEqual([...columnIndicators].sort())
})
