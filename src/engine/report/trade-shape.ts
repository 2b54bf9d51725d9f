/**
 * The shape of a run's trades: a histogram of their returns, and how far each went for and against its holder.
 * Both are SVG, which prints, follows the page's colours and needs no script.
 */
import { escapeHtml, formatNumber } from './markup.js'

const BINS = 36
const STEPS = [1, 2, 2.5, 5, 10]
/** A point a trade; more than this would be a blot. */
const SCATTER_POINTS = 1500
const WIDTH = 520
const HEIGHT = 244
const BOX = { left: 54, right: 10, top: 10, bottom: 46 } as const

export interface Histogram {
  /** Lower edge of the first bin; 0 is always an edge. */
  readonly start: number
  readonly step: number
  readonly counts: readonly number[]
  /** The outer bins hold everything beyond them as well. */
  readonly clipped: boolean
}

/** Bins of a round width, with an edge at 0, over the middle 98 % of the values; the outer bins take in the rest. */
export function histogram(values: Float64Array): Histogram | null {
  const sorted = values.filter((value) => Number.isFinite(value)).sort()
  const n = sorted.length
  if (n === 0) return null
  const quantile = (share: number): number => sorted[Math.min(n - 1, Math.floor(share * n))]!
  const low = Math.min(0, n < 100 ? sorted[0]! : quantile(0.01))
  const high = Math.max(0, n < 100 ? sorted[n - 1]! : quantile(0.99))
  // Returns of rounding errors alone are all 0.
  const step = roundStep(high - low > 1e-9 ? (high - low) / BINS : 1)
  const first = Math.floor(low / step + 1e-9)
  const last = Math.max(first + 2, Math.ceil(high / step - 1e-9))
  const counts = Array.from({ length: last - first }, () => 0)
  for (const value of sorted) {
    const bin = Math.min(counts.length - 1, Math.max(0, Math.floor(value / step + 1e-9) - first))
    counts[bin] = counts[bin]! + 1
  }
  return { start: first * step, step, counts, clipped: sorted[0]! < first * step || sorted[n - 1]! > last * step }
}

/** The least of 1, 2, 2.5, 5 × a power of ten that is not below `wanted`. */
export function roundStep(wanted: number): number {
  const power = Number(`1e${Math.floor(Math.log10(wanted))}`)
  return (STEPS.find((one) => one * power >= wanted * (1 - 1e-9)) ?? 10) * power
}

export function histogramSvg({ start, step, counts, clipped }: Histogram, total: number): string {
  const most = Math.max(...counts, 1)
  const tick = roundStep(most / 4) < 1 ? 1 : Math.ceil(roundStep(most / 4))
  // Three ticks at least, also of a single trade.
  const top = Math.max(2, Math.ceil(most / tick)) * tick
  const inner = WIDTH - BOX.left - BOX.right
  const width = inner / counts.length
  const x = (bin: number): number => BOX.left + bin * width
  const y = yScale(0, top)
  const digits = decimals(step)
  const edge = (bin: number): string => `${formatNumber(start + bin * step, digits)}\u202f%`
  const bars = counts.map((count, bin) => (count === 0 ? '' : `<rect class="${start + (bin + 0.5) * step < 0 ? 'neg' : 'pos'}" x="${(x(bin) + 0.5).toFixed(1)}" y="${y(count).toFixed(1)}" width="${Math.max(0.5, width - 1).toFixed(1)}" height="${(y(0) - y(count)).toFixed(1)}"><title>${
    clipped && bin === 0 ? `below ${edge(1)}` : clipped && bin === counts.length - 1 ? `from ${edge(bin)}` : `${edge(bin)} to ${edge(bin + 1)}`}: ${formatNumber(count, 0)} of ${formatNumber(total, 0)}</title></rect>`)).join('')
  const every = Math.max(1, Math.ceil(counts.length / 8))
  const zero = Math.round(-start / step)
  const labels = counts.map((_, bin) => bin).concat(counts.length).filter((bin) => (bin - zero) % every === 0)
    .map((bin) => `<text x="${x(bin).toFixed(1)}" y="${HEIGHT - 28}" text-anchor="middle">${formatNumber(start + bin * step, digits)}</text>`).join('')
  return svg(`Distribution of the returns of ${formatNumber(total, 0)} trades`, `${yAxis(0, top, tick, 0)}${bars}<line class="zero" x1="${x(zero).toFixed(1)}" x2="${x(zero).toFixed(1)}" y1="${BOX.top}" y2="${HEIGHT - BOX.bottom}"/>${labels}${caption('return, %')}`)
}

/** How far trades went against (mae) and for (mfe) their holders, in percent of the entry: each against what they returned. */
export function excursionSvg(mae: Float64Array, mfe: Float64Array, returns: Float64Array): string {
  const n = returns.length
  // Evenly spaced, so that no period is left out; the caption of the section says how many.
  const count = Math.min(n, SCATTER_POINTS)
  const shown = Array.from({ length: count }, (_, k) => Math.floor((k * n) / count)).filter((i) => Number.isFinite(mae[i]!) && Number.isFinite(mfe[i]!))
  if (shown.length === 0) return ''
  const against = (i: number): number => Math.abs(mae[i]!) * 100
  const forIt = (i: number): number => Math.abs(mfe[i]!) * 100
  const right = Math.max(...shown.map(against), 1e-9)
  const top = Math.max(...shown.map(forIt), 1e-9)
  const stepX = roundStep(right / 5), stepY = roundStep(top / 5)
  const maxX = Math.ceil(right / stepX) * stepX, maxY = Math.ceil(top / stepY) * stepY
  const y = yScale(0, maxY)
  const x = (value: number): number => BOX.left + (value / maxX) * (WIDTH - BOX.left - BOX.right)
  const ticks = Array.from({ length: Math.round(maxX / stepX) + 1 }, (_, k) => `<text x="${x(k * stepX).toFixed(1)}" y="${HEIGHT - 28}" text-anchor="middle">${formatNumber(k * stepX, decimals(stepX))}</text>`).join('')
  const dots = shown.map((i) => `<circle class="${returns[i]! > 0 ? 'pos' : 'neg'}" cx="${x(against(i)).toFixed(1)}" cy="${y(forIt(i)).toFixed(1)}" r="2.4"><title>trade ${i + 1}: against ${formatNumber(against(i))}\u202f%, for ${formatNumber(forIt(i))}\u202f%, returned ${formatNumber(returns[i]! * 100)}\u202f%</title></circle>`).join('')
  return svg('Furthest move for each trade over the furthest move against it', `${yAxis(0, maxY, stepY, decimals(stepY))}${ticks}<g class="dots">${dots}</g>${caption('furthest against, % of entry; up: furthest for')}`)
}

export function scatterShare(trades: number): string {
  return trades > SCATTER_POINTS ? `${formatNumber(SCATTER_POINTS, 0)} of ${formatNumber(trades, 0)} trades, evenly spaced` : `all ${formatNumber(trades, 0)} trades`
}

/** As many as it takes to write the step exactly. */
function decimals(step: number): number {
  const digits = [0, 1, 2, 3, 4, 5].find((one) => Math.abs(Number(step.toFixed(one)) / step - 1) < 1e-9)
  return digits ?? 6
}

function yScale(low: number, high: number): (value: number) => number {
  const inner = HEIGHT - BOX.top - BOX.bottom
  return (value) => BOX.top + (1 - (value - low) / (high - low)) * inner
}

function yAxis(low: number, high: number, step: number, digits: number): string {
  const y = yScale(low, high)
  return Array.from({ length: Math.round((high - low) / step) + 1 }, (_, k) => low + k * step)
    .map((value) => `<line class="grid" x1="${BOX.left}" x2="${WIDTH - BOX.right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/><text x="${BOX.left - 6}" y="${(y(value) + 3.5).toFixed(1)}" text-anchor="end">${formatNumber(value, digits)}</text>`).join('')
}

function caption(text: string): string {
  return `<text x="${WIDTH - BOX.right}" y="${HEIGHT - 8}" text-anchor="end">${escapeHtml(text)}</text>`
}

function svg(title: string, content: string): string {
  return `<svg class="shape" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">${content}</svg>`
}
