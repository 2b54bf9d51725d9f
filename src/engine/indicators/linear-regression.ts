/**
 * The straight line of least squares through the last n values (TA-Lib's LINEARREG, _SLOPE, _INTERCEPT, _ANGLE and
 * TSF): its value at this bar, its rise a bar, its value at the window's first bar, its angle in degrees, and its
 * value one bar ahead (a forecast from this bar's window, not a look at the next). First value at bar n - 1.
 * Deviations from the window's oldest value are summed about the middle of the window, so flat prices have a slope
 * of exactly 0 and large ones lose no digits; the cost grows with n. NaN rule: a window that holds a NaN is NaN.
 */
import { checkPeriod } from './period.js'
import type { Stream } from './stream.js'
import { runColumn } from './stream.js'
import { Window } from './window.js'

const DEGREES = 180 / Math.PI

/** The line of a window: its slope, and its value `bars` after the window's middle. */
class Line {
  slope = NaN
  private readonly window: Window
  private readonly half: number
  private readonly spread: number
  private mean = NaN

  constructor(n: number, indicator: string) {
    checkPeriod(indicator, 'n', n, 2)
    this.window = new Window(n)
    this.half = (n - 1) / 2
    this.spread = (n * (n - 1) * (n + 1)) / 12
  }

  push(x: number): void {
    this.slope = this.mean = NaN
    if (!this.window.push(x)) return
    const { values, start, n } = this.window
    const oldest = values[start]!
    let sum = 0
    let moment = 0
    for (let k = 1; k < n; k++) {
      const rise = values[start + k]! - oldest
      sum += rise
      moment += (k - this.half) * rise
    }
    this.slope = moment / this.spread
    this.mean = oldest + sum / n
  }

  /** At the window's newest bar for 0, at its oldest for -(n - 1), one ahead for 1. */
  at(bars: number): number {
    return this.mean + this.slope * (this.half + bars)
  }
}

export class LinearRegressionStream {
  private readonly line: Line
  private readonly ahead: number

  constructor(n: number, indicator = 'linearRegression', ahead = 0) {
    this.line = new Line(n, indicator)
    this.ahead = ahead
  }

  next(x: number): number {
    this.line.push(x)
    return this.line.at(this.ahead)
  }
}

export class LinearRegressionSlopeStream {
  private readonly line: Line

  constructor(n: number, indicator = 'linearRegressionSlope') {
    this.line = new Line(n, indicator)
  }

  next(x: number): number {
    this.line.push(x)
    return this.line.slope
  }
}

export class LinearRegressionAngleStream {
  private readonly slope: LinearRegressionSlopeStream

  constructor(n: number) {
    this.slope = new LinearRegressionSlopeStream(n, 'linearRegressionAngle')
  }

  next(x: number): number {
    return Math.atan(this.slope.next(x)) * DEGREES
  }
}

export function linearRegressionIntercept(x: Float64Array, n: number): Float64Array {
  return runColumn('linearRegressionIntercept', [x], interceptStream(n))
}

export function timeSeriesForecast(x: Float64Array, n: number): Float64Array {
  return runColumn('timeSeriesForecast', [x], forecastStream(n))
}

export function linearRegression(x: Float64Array, n: number): Float64Array {
  return runColumn('linearRegression', [x], new LinearRegressionStream(n))
}

export function linearRegressionSlope(x: Float64Array, n: number): Float64Array {
  return runColumn('linearRegressionSlope', [x], new LinearRegressionSlopeStream(n))
}

export function linearRegressionAngle(x: Float64Array, n: number): Float64Array {
  return runColumn('linearRegressionAngle', [x], new LinearRegressionAngleStream(n))
}

export function interceptStream(n: number): Stream {
  return new LinearRegressionStream(n, 'linearRegressionIntercept', 1 - n)
}

export function forecastStream(n: number): Stream {
  return new LinearRegressionStream(n, 'timeSeriesForecast', 1)
}
