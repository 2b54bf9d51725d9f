/**
 * The best objective over the first two parameters of the space that have more than one value, the best being
 * taken over all other parameters; a space with one such parameter gives a single row. Axes of more than 120 values are binned: a bin is named by its first value
 * and holds the best of its trials. Memory is at most 120 × 120 cells at any size of the sweep.
 */
import type { SpaceAxis } from './space-axis.js'
import type { SweepPlan } from './sweep-plan.js'

const MAX_CELLS_A_SIDE = 120

export interface HeatMap {
  readonly x: { readonly name: string; readonly values: number[] }
  /** Null where only one parameter varies. */
  readonly y: { readonly name: string; readonly values: number[] } | null
  /** y-major: cells[row × x.values.length + column]; null where no trial has an objective. */
  readonly cells: (number | null)[]
  readonly objective: string
}

interface Side {
  readonly axis: SpaceAxis
  /** Points of the grid from one value to the next. */
  readonly stride: number
  readonly perBin: number
  readonly bins: number
}

export class HeatMapBuilder {
  private readonly x: Side | undefined
  private readonly y: Side | undefined
  private readonly sign: 1 | -1
  private readonly cells: Float64Array

  constructor(plan: SweepPlan, direction: 'maximize' | 'minimize') {
    const sides = sidesOf(plan)
    this.x = sides[0]
    this.y = sides[1]
    this.sign = direction === 'maximize' ? 1 : -1
    this.cells = new Float64Array((this.x?.bins ?? 0) * (this.y?.bins ?? 1)).fill(NaN)
  }

  /** The objective must be a number. */
  add(index: number, objective: number): void {
    const { x, y, sign } = this
    if (x === undefined) return
    const cell = (y === undefined ? 0 : binOf(y, index) * x.bins) + binOf(x, index)
    if (!(sign * this.cells[cell]! >= sign * objective)) this.cells[cell] = objective
  }

  finish(objective: string): HeatMap | null {
    const { x, y } = this
    if (x === undefined) return null
    return { x: labelled(x), y: y === undefined ? null : labelled(y), cells: Array.from(this.cells, (value) => (Number.isNaN(value) ? null : value)), objective }
  }
}

function sidesOf(plan: SweepPlan): Side[] {
  const sides: Side[] = []
  let stride = plan.fullSize
  for (const axis of plan.axes) {
    stride /= axis.count
    if (axis.count < 2) continue
    const perBin = Math.ceil(axis.count / MAX_CELLS_A_SIDE)
    sides.push({ axis, stride, perBin, bins: Math.ceil(axis.count / perBin) })
  }
  return sides
}

function binOf(side: Side, index: number): number {
  return Math.floor((Math.floor(index / side.stride) % side.axis.count) / side.perBin)
}

function labelled({ axis, bins, perBin }: Side): { name: string; values: number[] } {
  return { name: axis.name, values: Array.from({ length: bins }, (_, bin) => axis.valueAt(bin * perBin)) }
}
