/** Every member of `ta` as a stream, by name: what a live feed or an onBar strategy asks, one bar at a time. */
import { SweepmillError } from '../../base/errors.js'
import { AdStream } from './ad.js'
import { AdOscillatorStream } from './ad-oscillator.js'
import { AdxStream } from './adx.js'
import { AdxrStream } from './adxr.js'
import { ApoStream } from './apo.js'
import { AroonStream } from './aroon.js'
import { AroonOscillatorStream } from './aroon-oscillator.js'
import { AtrStream } from './atr.js'
import { AwesomeOscillatorStream } from './awesome-oscillator.js'
import { AveragePriceStream, BopStream, MedianPriceStream, TypicalPriceStream, WeightedCloseStream } from './bar-prices.js'
import { BollingerStream } from './bollinger.js'
import { CciStream } from './cci.js'
import { ChopStream } from './chop.js'
import { CmfStream } from './cmf.js'
import { CmoStream } from './cmo.js'
import { CrossStream } from './cross.js'
import { DemaStream } from './dema.js'
import { DonchianStream } from './donchian.js'
import { DxStream } from './dx.js'
import { EmaStream } from './ema.js'
import { ForceIndexStream } from './force-index.js'
import { HeikinAshiStream } from './heikin-ashi.js'
import { HmaStream } from './hma.js'
import { IchimokuStream } from './ichimoku.js'
import { KamaStream } from './kama.js'
import { KeltnerStream } from './keltner.js'
import { forecastStream, interceptStream, LinearRegressionAngleStream, LinearRegressionSlopeStream, LinearRegressionStream } from './linear-regression.js'
import { MacdStream } from './macd.js'
import { MassIndexStream } from './mass-index.js'
import { MfiStream } from './mfi.js'
import { MidpointStream, MidpriceStream } from './midprice.js'
import { MinusDiStream } from './minus-di.js'
import { MomentumStream } from './momentum.js'
import { NatrStream } from './natr.js'
import { ObvStream } from './obv.js'
import { ParabolicSarStream } from './parabolic-sar.js'
import { PlusDiStream } from './plus-di.js'
import { PpoStream } from './ppo.js'
import { RmaStream } from './rma.js'
import { RocStream } from './roc.js'
import { RollingCorrelationStream } from './rolling-correlation.js'
import { RollingMaxStream } from './rolling-max.js'
import { RollingMedianStream, RollingRankStream } from './rolling-median.js'
import { RollingMinStream } from './rolling-min.js'
import { RollingSumStream } from './rolling-sum.js'
import { RsiStream } from './rsi.js'
import { SmaStream } from './sma.js'
import { StddevStream } from './stddev.js'
import { StochRsiStream } from './stoch-rsi.js'
import { StochasticStream } from './stochastic.js'
import { SuperTrendStream } from './super-trend.js'
import { T3Stream } from './t3.js'
import { TemaStream } from './tema.js'
import { TrimaStream } from './trima.js'
import { TrixStream } from './trix.js'
import { TrueRangeStream } from './true-range.js'
import { UltimateOscillatorStream } from './ultimate-oscillator.js'
import { VarianceStream } from './variance.js'
import { VortexStream } from './vortex.js'
import { AnchoredVwapStream, VwapStream } from './vwap.js'
import { VwmaStream } from './vwma.js'
import { WilliamsRStream } from './williams-r.js'
import { WmaStream } from './wma.js'
import { ZScoreStream } from './z-score.js'
import type { Indicators } from './indicators.js'

const STREAMS = {
  ad: () => new AdStream(),
  adOscillator: (fast: number, slow: number) => new AdOscillatorStream(fast, slow),
  adx: (n: number) => new AdxStream(n),
  adxr: (n: number) => new AdxrStream(n),
  anchoredVwap: (anchorBar: number) => new AnchoredVwapStream(anchorBar),
  apo: (fast: number, slow: number) => new ApoStream(fast, slow),
  aroon: (n: number) => new AroonStream(n),
  aroonOscillator: (n: number) => new AroonOscillatorStream(n),
  atr: (n: number) => new AtrStream(n),
  averagePrice: () => new AveragePriceStream(),
  awesomeOscillator: (fast: number, slow: number) => new AwesomeOscillatorStream(fast, slow),
  bollinger: (n: number, k: number) => new BollingerStream(n, k),
  bop: () => new BopStream(),
  cci: (n: number) => new CciStream(n),
  chop: (n: number) => new ChopStream(n),
  cmf: (n: number) => new CmfStream(n),
  cmo: (n: number) => new CmoStream(n),
  dema: (n: number) => new DemaStream(n),
  donchian: (n: number) => new DonchianStream(n),
  dx: (n: number) => new DxStream(n),
  ema: (n: number) => new EmaStream(n),
  forceIndex: (n: number) => new ForceIndexStream(n),
  heikinAshi: () => new HeikinAshiStream(),
  hma: (n: number) => new HmaStream(n),
  ichimoku: (conversion: number, base: number, spanB: number) => new IchimokuStream(conversion, base, spanB),
  kama: (n: number) => new KamaStream(n),
  keltner: (n: number, multiplier: number) => new KeltnerStream(n, multiplier),
  linearRegression: (n: number) => new LinearRegressionStream(n),
  linearRegressionAngle: (n: number) => new LinearRegressionAngleStream(n),
  linearRegressionIntercept: (n: number) => interceptStream(n),
  linearRegressionSlope: (n: number) => new LinearRegressionSlopeStream(n),
  macd: (fast: number, slow: number, signal: number) => new MacdStream(fast, slow, signal),
  massIndex: (emaPeriod: number, n: number) => new MassIndexStream(emaPeriod, n),
  medianPrice: () => new MedianPriceStream(),
  mfi: (n: number) => new MfiStream(n),
  midpoint: (n: number) => new MidpointStream(n),
  midprice: (n: number) => new MidpriceStream(n),
  minusDi: (n: number) => new MinusDiStream(n),
  momentum: (n: number) => new MomentumStream(n),
  natr: (n: number) => new NatrStream(n),
  obv: () => new ObvStream(),
  parabolicSar: (acceleration: number, maximum: number) => new ParabolicSarStream(acceleration, maximum),
  plusDi: (n: number) => new PlusDiStream(n),
  ppo: (fast: number, slow: number) => new PpoStream(fast, slow),
  rma: (n: number) => new RmaStream(n),
  roc: (n: number) => new RocStream(n),
  rollingCorrelation: (n: number) => new RollingCorrelationStream(n),
  rollingMax: (n: number) => new RollingMaxStream(n),
  rollingMedian: (n: number) => new RollingMedianStream(n),
  rollingMin: (n: number) => new RollingMinStream(n),
  rollingRank: (n: number) => new RollingRankStream(n),
  rollingSum: (n: number) => new RollingSumStream(n),
  rsi: (n: number) => new RsiStream(n),
  sma: (n: number) => new SmaStream(n),
  stddev: (n: number) => new StddevStream(n),
  stochRsi: (rsiPeriod: number, k: number, kSmooth: number, d: number) => new StochRsiStream(rsiPeriod, k, kSmooth, d),
  stochastic: (k: number, kSmooth: number, d: number) => new StochasticStream(k, kSmooth, d),
  superTrend: (n: number, multiplier: number) => new SuperTrendStream(n, multiplier),
  t3: (n: number, volumeFactor: number) => new T3Stream(n, volumeFactor),
  tema: (n: number) => new TemaStream(n),
  timeSeriesForecast: (n: number) => forecastStream(n),
  trima: (n: number) => new TrimaStream(n),
  trix: (n: number) => new TrixStream(n),
  trueRange: () => new TrueRangeStream(),
  typicalPrice: () => new TypicalPriceStream(),
  ultimateOscillator: (short: number, medium: number, long: number) => new UltimateOscillatorStream(short, medium, long),
  variance: (n: number) => new VarianceStream(n),
  vortex: (n: number) => new VortexStream(n),
  vwap: () => new VwapStream(),
  vwma: (n: number) => new VwmaStream(n),
  weightedClose: () => new WeightedCloseStream(),
  williamsR: (n: number) => new WilliamsRStream(n),
  wma: (n: number) => new WmaStream(n),
  zScore: (n: number) => new ZScoreStream(n),
  crossAbove: () => new CrossStream(1),
  crossBelow: () => new CrossStream(-1),
} satisfies Readonly<Record<keyof Indicators, (...args: number[]) => object>>

type Streams = typeof STREAMS

/**
 * A new stream of the indicator `name`; `args` are the function's arguments without its columns. `next` takes one
 * value of each column, in their order, and gives the value of that bar (for several outputs a record that it writes
 * anew each time, so copy what must be kept): the bits of the function over all bars given so far. NaN before the
 * first value. The cost of a bar does not grow with what was seen. Errors: PARAM_INVALID for an unknown name or an
 * argument that the function refuses.
 */
export function streamOf<Name extends keyof Indicators>(name: Name, ...args: Parameters<Streams[Name]>): ReturnType<Streams[Name]> {
  if (!Object.hasOwn(STREAMS, name)) {
    throw new SweepmillError('PARAM_INVALID', `There is no indicator ${JSON.stringify(name)}; docs/indicators.md lists them.`, { details: { name } })
  }
  const make = STREAMS[name] as unknown as (...args: number[]) => ReturnType<Streams[Name]>
  return make(...args)
}
