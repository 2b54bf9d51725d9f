/**
 * An independent reference of the execution contract, for tests only: written from docs/fills.md as plainly as possible, one
 * object a lot, every rule where the page puts it, no regard for speed. It shares no code with the kernels: averages,
 * rounding, sizes and margins are worked out from their definitions.
 */
import type { ExecutionSpec } from '../../src/engine/index.js'
import type { BarColumns } from '../../src/market/layout.js'

export interface ReferenceTrade {
  side: 'long' | 'short'
  units: number
  entryBar: number
  entryPrice: number
  exitBar: number
  exitPrice: number
  pnl: number
  fees: number
  exitReason: string
}

export interface ReferenceMasks {
  longEntry: ArrayLike<number>
  longExit: ArrayLike<number>
  shortEntry?: ArrayLike<number>
  shortExit?: ArrayLike<number>
}

export interface ReferenceRun {
  equity: number[]
  cash: number[]
  units: number[]
  trades: ReferenceTrade[]
  rejected: number
  interest: number
  funding: number
  /** What happened, for tests that ask whether their cases reach it. */
  seen: Set<string>
}

interface Lot {
  side: 1 | -1
  units: number
  bar: number
  atClose: boolean
  price: number
  fee: number
  stop: number | null
  target: number | null
  trail: ((peak: number) => number) | null
  peak: number
}

interface Order {
  side: 1 | -1
  level: number
  signalBar: number
  bars: number | null
}

interface Want { longEntry: boolean; longExit: boolean; shortEntry: boolean; shortExit: boolean }

const HOUR = 3_600_000
/** F10: as text has it, and what arithmetic may leave of a touch. */
const SLACK = 2 ** -50
const write = (level: number, from: number): number => {
  if (!Number.isFinite(level)) return level
  const exponent = Number(Math.max(Math.abs(level), Math.abs(from)).toExponential(30).split('e')[1])
  return Number(level.toFixed(Math.max(0, 14 - exponent)))
}
const atOrBelow = (price: number, level: number): boolean => price - level <= level * SLACK
const atOrAbove = (price: number, level: number): boolean => level - price <= level * SLACK

export function referenceRun(bars: BarColumns, masks: ReferenceMasks, e: ExecutionSpec): ReferenceRun {
  const run: ReferenceRun = { equity: [], cash: [], units: [], trades: [], rejected: 0, interest: 0, funding: 0, seen: new Set() }
  let cash = e.initialCash
  let lots: Lot[] = []
  let order: Order | null = null
  let stopped = false

  const held = (): number => lots.reduce((sum, lot) => sum + lot.side * lot.units, 0)
  const at = (column: Float64Array, bar: number): number => column[bar] ?? NaN

  // F21: Wilder's ATR from its definition.
  const atrAt = (n: number, bar: number): number => {
    const range = (i: number): number => Math.max(at(bars.high, i) - at(bars.low, i), Math.abs(at(bars.high, i) - at(bars.close, i - 1)), Math.abs(at(bars.low, i) - at(bars.close, i - 1)))
    if (bar < n) return NaN
    let value = 0
    for (let i = 1; i <= n; i++) value += range(i)
    value /= n
    for (let i = n + 1; i <= bar; i++) value = (value * (n - 1) + range(i)) / n
    return write(value, at(bars.close, bar))
  }

  // F25.
  const tick = (price: number, up: boolean): number => {
    if (e.tickSize === null || !Number.isFinite(price)) return price
    const nearest = Math.round(price / e.tickSize)
    const count = Math.abs(price / e.tickSize - nearest) <= Math.max(1e-9, nearest * SLACK) ? nearest : up ? Math.ceil(price / e.tickSize) : Math.floor(price / e.tickSize)
    return write(count * e.tickSize, 0)
  }

  // F7.
  const feeFor = (units: number, price: number, rate: number): number => Math.max(e.feeMin, units * price * rate + units * e.feePerUnit + e.feeFixed)

  const close = (lot: Lot, bar: number, raw: number, slippage: number, reason: string): void => {
    const buys = lot.side === -1
    let price = tick(buys ? raw * (1 + slippage) : raw * (1 - slippage), buys)
    const isMarginCall = reason === 'liquidation' && e.perpetual !== null && !closingAll
    const rate = reason === 'take_profit' ? e.makerFeeRate : isMarginCall ? e.feeRate + (e.perpetual?.liquidationFee ?? 0) : e.feeRate
    // F30: the position's loss to price and exit fees is at most its margins; the price at which it is exactly that.
    if (isMarginCall && gone !== null && (lot.side === 1 ? price < gone : price > gone)) price = gone
    const exitFee = feeFor(lot.units, price, rate)
    cash += lot.side * lot.units * price - exitFee
    run.trades.push({
      side: lot.side === 1 ? 'long' : 'short', units: lot.units, entryBar: lot.bar, entryPrice: lot.price, exitBar: bar, exitPrice: price,
      pnl: lot.side * lot.units * (price - lot.price) - lot.fee - exitFee, fees: lot.fee + exitFee, exitReason: reason,
    })
    run.seen.add(`exit ${isMarginCall ? 'margin' : reason}`)
    lots = lots.filter((one) => one !== lot)
  }
  // F16 and F30 both say liquidation; only F30 knows of margins.
  let closingAll = false
  let gone: number | null = null
  const closeAll = (bar: number, raw: number, slippage: number, reason: string): void => {
    closingAll = true
    for (const lot of lots) close(lot, bar, raw, slippage, reason)
    closingAll = false
  }

  // F6, F8, F10, F20, F21. `limit`: the price of a limit fill.
  const open = (side: 1 | -1, bar: number, raw: number, limit: number | null, signalBar: number, atClose: boolean): boolean => {
    if (lots.length > 0) {
      if (e.entryWhenInPosition === 'ignore') return false
      if (e.entryWhenInPosition === 'add' && e.maxEntries !== null && lots.length >= e.maxEntries) return false
      if (e.entryWhenInPosition === 'replace') { closeAll(bar, raw, e.slippage, 'signal'); run.seen.add('replace') } else run.seen.add('add')
    }
    const market = side === 1 ? raw * (1 + e.spread) * (1 + e.slippage) : raw * (1 - e.spread) * (1 - e.slippage)
    const price = tick(limit ?? market, side === 1)
    const rate = limit === null ? e.feeRate : e.makerFeeRate
    const fill = write(price, 0)
    const reference = e.stopReference === 'fill_price' ? fill : at(bars.close, signalBar)
    const away = (distance: ExecutionSpec['stopLoss'], direction: number): number | null => {
      if (distance === null) return null
      return write(typeof distance === 'number' ? reference * (1 + direction * distance) : reference + direction * distance.multiple * atrAt(distance.atr, signalBar), reference)
    }
    const rawStop = away(e.stopLoss, -side), rawTarget = away(e.takeProfit, side)
    const stop = rawStop === null ? null : tick(rawStop, side === -1)
    const target = rawTarget === null ? null : tick(rawTarget, side === 1)
    const distance = e.trailingStop
    const gap = distance === null || typeof distance === 'number' ? 0 : distance.multiple * atrAt(distance.atr, signalBar)
    const trail = distance === null ? null : (peak: number): number => tick(write(typeof distance === 'number' ? peak * (1 - side * distance) : peak - side * gap, peak), side === -1)
    if ([stop, target, gap].some((value) => Number.isNaN(value))) { run.rejected++; run.seen.add('no ATR yet'); return false }

    const equity = cash + held() * raw
    // Where the least fee is what those units pay, or else what the growing one leaves.
    const buys = (budget: number): number => {
      const atLeastFee = (budget - e.feeMin) / price
      return e.feeMin > 0 && feeFor(atLeastFee, price, rate) <= e.feeMin ? atLeastFee : (budget - e.feeFixed) / (price * (1 + rate) + e.feePerUnit)
    }
    const most = buys(equity * e.leverage - Math.abs(held()) * raw)
    const value = e.sizing.value ?? 0
    let units = most
    if (e.sizing.mode === 'fraction') units = Math.min(most, buys(equity * e.leverage * value))
    if (e.sizing.mode === 'cash') units = buys(value)
    if (e.sizing.mode === 'units') units = value
    if (e.sizing.mode === 'risk') {
      const stops = [stop, trail?.(fill) ?? null].filter((level) => level !== null)
      const risk = Math.min(...stops.map((level) => side * (price - level)))
      units = risk > 0 ? Math.min(most, (equity * value) / risk) : 0
    }
    const lot = e.sizing.wholeUnits ? 1 : e.sizing.lotSize
    if (lot !== null) units = Math.floor((units / lot) * (1 + (units < 0 ? -1 : 1) * 1e-12)) * lot
    if (units > most * (1 + 1e-12) || units <= 0 || units * price < e.sizing.minNotional * (1 - 1e-12) || (lots.length > 0 && units * price < 1e-9 * equity * e.leverage)) { run.rejected++; return false }
    const fee = feeFor(units, price, rate)
    cash = side === 1 ? cash - units * price - fee : cash + units * price - fee
    lots.push({ side, units, bar, atClose, price, fee, stop, target, trail, peak: fill })
    run.seen.add(limit === null ? 'entry market' : 'entry limit')
    return true
  }

  // F30, by bisection over the price: where margins and gain are no more than the maintenance margin.
  const marginPrice = (): number | null => {
    const perpetual = e.perpetual
    const side = lots[0]?.side
    if (perpetual === null || side === undefined) return null
    const units = lots.reduce((sum, lot) => sum + lot.units, 0)
    const need = (price: number): number => {
      let from = 0, sum = 0
      for (const { upTo, rate } of perpetual.maintenance) {
        sum += Math.max(0, Math.min(units * price, upTo) - from) * rate
        from = upTo
      }
      return sum
    }
    const left = (price: number): number => lots.reduce((sum, lot) => sum + (lot.units * lot.price) / e.leverage + lot.side * lot.units * (price - lot.price), 0) - need(price)
    const start = lots[0]?.price ?? 0
    if (side === 1) {
      if (left(0) > 0) return null
      let low = 0, high = start * 1000
      for (let k = 0; k < 200; k++) {
        const middle = (low + high) / 2
        if (left(middle) <= 0) low = middle
        else high = middle
      }
      return low
    }
    let low = 0, high = start * 1000
    for (let k = 0; k < 200; k++) {
      const middle = (low + high) / 2
      if (left(middle) <= 0) high = middle
      else low = middle
    }
    return high
  }

  let margin: number | null = null
  const findMargin = (): void => {
    const found = marginPrice()
    const side = lots[0]?.side
    if (side !== undefined && e.perpetual !== null) {
      const rate = e.feeRate + e.perpetual.liquidationFee
      const sum = (of: (lot: Lot) => number): number => lots.reduce((total, lot) => total + of(lot), 0)
      const margins = sum((lot) => (lot.units * lot.price) / e.leverage)
      gone = (margins - lots.length * e.feeFixed - sum((lot) => lot.units) * e.feePerUnit - side * sum((lot) => lot.units * lot.price)) / (sum((lot) => lot.units) * (rate - side))
    }
    const mean = lots.reduce((sum, lot) => sum + lot.units * lot.price, 0) / lots.reduce((sum, lot) => sum + lot.units, 0)
    margin = found === null ? null : tick(write(found, mean), lots[0]?.side === -1)
  }

  /** The stop that counts for a lot: the nearest of stop-loss, trailing stop, liquidation; in a tie in this order. */
  const stopOf = (lot: Lot): { level: number; reason: string } | null => {
    const all: { level: number; reason: string }[] = []
    if (lot.stop !== null) all.push({ level: lot.stop, reason: 'stop_loss' })
    if (lot.trail !== null) all.push({ level: lot.trail(lot.peak), reason: 'trailing_stop' })
    if (margin !== null) all.push({ level: margin, reason: 'liquidation' })
    return all.reduce<{ level: number; reason: string } | null>((best, one) => (best === null || lot.side * one.level > lot.side * best.level ? one : best), null)
  }
  const better = (lot: Lot, price: number): void => { lot.peak = lot.side === 1 ? Math.max(lot.peak, price) : Math.min(lot.peak, price) }
  const asleep = (lot: Lot, bar: number): boolean => lot.bar === bar && !e.stopOnEntryBar

  /** F11: true when the bar took the lot out. */
  const worstCase = (lot: Lot, bar: number): boolean => {
    const [o, h, l] = [at(bars.open, bar), at(bars.high, bar), at(bars.low, bar)]
    const stop = stopOf(lot)
    const passed = (price: number, level: number): boolean => (lot.side === 1 ? atOrBelow(price, level) : atOrAbove(price, level))
    const reachedTarget = (price: number): boolean => lot.target !== null && (lot.side === 1 ? atOrAbove(price, lot.target) : atOrBelow(price, lot.target))
    const [bad, good] = lot.side === 1 ? [l, h] : [h, l]
    if (stop !== null && passed(o, stop.level)) close(lot, bar, o, e.stopSlippage, stop.reason)
    else if (reachedTarget(o)) close(lot, bar, o, 0, 'take_profit')
    else if (stop !== null && passed(bad, stop.level)) close(lot, bar, stop.level, e.stopSlippage, stop.reason)
    else if (reachedTarget(good)) close(lot, bar, lot.target ?? NaN, 0, 'take_profit')
    else return false
    return true
  }

  /** F22: the raw price at which an order is reached. */
  const triggerOf = ({ side, level }: Order): number => (e.entryOrder?.type === 'limit' ? write(level / (1 + side * e.spread), level) : level)
  /** A long limit is reached from above, a long stop from below. */
  const fromAbove = ({ side }: Order): boolean => (side === 1) === (e.entryOrder?.type === 'limit')
  const fillOrder = (filled: Order, bar: number, raw: number, atOpen: boolean): boolean => {
    order = null
    const isLimit = e.entryOrder?.type === 'limit'
    const notBeyond = (price: number): number => (filled.side === 1 ? Math.min(price, filled.level) : Math.max(price, filled.level))
    const opened = open(filled.side, bar, raw, isLimit ? (atOpen ? notBeyond(raw * (1 + filled.side * e.spread)) : filled.level) : null, filled.signalBar, false)
    if (opened) {
      run.seen.add(`order ${e.entryOrder?.type ?? ''}`)
      findMargin()
    }
    return opened
  }

  const pessimisticBar = (bar: number): void => {
    const [o, h, l, c] = [at(bars.open, bar), at(bars.high, bar), at(bars.low, bar), at(bars.close, bar)]
    for (const lot of lots) if (asleep(lot, bar) || !worstCase(lot, bar)) better(lot, lot.side === 1 ? h : l)
    if (order === null) return
    // F23.
    const rests = order
    const trigger = triggerOf(rests)
    const opensThere = fromAbove(rests) ? atOrBelow(o, trigger) : atOrAbove(o, trigger)
    const reached = fromAbove(rests) ? atOrBelow(l, trigger) : atOrAbove(h, trigger)
    if (!opensThere && !reached) return
    const raw = opensThere ? o : trigger
    if (!fillOrder(rests, bar, raw, opensThere)) return
    const lot = lots.at(-1)
    if (lot === undefined) return
    const best = lot.side === 1 ? h : l
    const isLimit = e.entryOrder?.type === 'limit'
    if (opensThere) {
      if (asleep(lot, bar) || !worstCase(lot, bar)) better(lot, best)
      return
    }
    if (!asleep(lot, bar)) {
      const stop = stopOf(lot)
      const worst = lot.side === 1 ? l : h
      if (stop !== null && (lot.side === 1 ? atOrBelow(worst, stop.level) : atOrAbove(worst, stop.level))) {
        const already = lot.side === 1 ? atOrBelow(raw, stop.level) : atOrAbove(raw, stop.level)
        close(lot, bar, already ? raw : stop.level, e.stopSlippage, stop.reason)
        return
      }
      if (!isLimit && lot.target !== null && (lot.side === 1 ? atOrAbove(best, lot.target) : atOrBelow(best, lot.target))) {
        const already = lot.side === 1 ? atOrAbove(raw, lot.target) : atOrBelow(raw, lot.target)
        close(lot, bar, already ? raw : lot.target, 0, 'take_profit')
        return
      }
    }
    better(lot, isLimit ? c : best)
  }

  /** F24: what acts at a price that the market has come to; one thing at a time, in the order of the page. */
  const actAt = (price: number, bar: number, atOpen: boolean): boolean => {
    for (const lot of lots) {
      if (asleep(lot, bar)) continue
      const stop = stopOf(lot)
      if (stop !== null && (lot.side === 1 ? atOrBelow(price, stop.level) : atOrAbove(price, stop.level))) {
        close(lot, bar, price, e.stopSlippage, stop.reason)
        return true
      }
      if (lot.target !== null && (lot.side === 1 ? atOrAbove(price, lot.target) : atOrBelow(price, lot.target))) {
        close(lot, bar, price, 0, 'take_profit')
        return true
      }
    }
    if (order !== null && (fromAbove(order) ? atOrBelow(price, triggerOf(order)) : atOrAbove(price, triggerOf(order)))) {
      const lotsBefore = new Set(lots)
      fillOrder(order, bar, price, atOpen)
      // At the open only what was there before the fill is settled at once; the new lot is watched from the first step on.
      return !atOpen || lots.every((lot) => lotsBefore.has(lot))
    }
    return false
  }
  const pathBar = (bar: number): void => {
    const [o, h, l, c] = [at(bars.open, bar), at(bars.high, bar), at(bars.low, bar), at(bars.close, bar)]
    const highFirst = e.intrabarPath === 'ohlc' || (e.intrabarPath === 'adaptive' && o - l - (h - o) > h * SLACK)
    for (const lot of lots) better(lot, o)
    while (actAt(o, bar, true));
    let from = o
    for (const to of highFirst ? [h, l, c] : [l, h, c]) {
      let here = from
      const up = to > from
      for (;;) {
        while (actAt(here, bar, false));
        // The next price on the way at which anything waits.
        const between = (level: number): boolean => (up ? level > here && atOrAbove(to, level) : level < here && atOrBelow(to, level))
        const levels = [
          ...lots.filter((lot) => !asleep(lot, bar)).flatMap((lot) => [stopOf(lot)?.level ?? NaN, lot.target ?? NaN]), ...(order === null ? [] : [triggerOf(order)]),
        ].filter(between)
        // A trailing stop's level moves while the price goes its way; it is met only when the price turns, on the next leg.
        const waiting = levels.sort((a, b) => Math.abs(a - here) - Math.abs(b - here))
        const [next] = waiting
        if (next === undefined) break
        here = next
      }
      for (const lot of lots) better(lot, to)
      from = to
    }
  }

  const wantAt = (bar: number): Want => {
    const get = (mask: ArrayLike<number> | undefined): boolean => mask?.[bar] === 1
    const hasShort = masks.shortEntry !== undefined || masks.shortExit !== undefined
    // F2.
    const want: Want = {
      longEntry: get(masks.longEntry), longExit: get(masks.longExit),
      shortEntry: hasShort ? get(masks.shortEntry) : get(masks.longExit), shortExit: hasShort ? get(masks.shortExit) : get(masks.longEntry),
    }
    if (e.direction === 'long') want.shortEntry = want.shortExit = false
    if (e.direction === 'short') want.longEntry = want.longExit = false
    // F3.
    if (want.longEntry && want.longExit) want.longEntry = want.longExit = false
    if (want.shortEntry && want.shortExit) want.shortEntry = want.shortExit = false
    if (want.longEntry && want.shortEntry) want.longEntry = want.shortEntry = false
    return want
  }
  const isDue = (want: Want): boolean => want.longEntry || want.longExit || want.shortEntry || want.shortExit

  // F4, F5, F20, F22.
  const follow = (want: Want, bar: number, raw: number, signalBar: number, atClose: boolean): void => {
    if (lots[0]?.side === 1 && (want.longExit || want.shortEntry)) closeAll(bar, raw, e.slippage, 'signal')
    else if (lots[0]?.side === -1 && (want.shortExit || want.longEntry)) closeAll(bar, raw, e.slippage, 'signal')
    if (order?.side === 1 && (want.longExit || want.shortEntry)) { order = null; run.seen.add('order removed') }
    if (order?.side === -1 && (want.shortExit || want.longEntry)) { order = null; run.seen.add('order removed') }
    const side = want.longEntry ? 1 : want.shortEntry ? -1 : null
    if (side === null) return
    if (e.entryOrder === null) { open(side, bar, raw, null, signalBar, atClose); return }
    if (lots.length > 0 && (e.entryWhenInPosition === 'ignore' || (e.entryWhenInPosition === 'add' && e.maxEntries !== null && lots.length >= e.maxEntries))) return
    const { offset, type, bars: life } = e.entryOrder
    const away = (type === 'limit' ? -1 : 1) * side
    const signalClose = at(bars.close, signalBar)
    const level = write(typeof offset === 'number' ? signalClose * (1 + away * offset) : signalClose + away * offset.multiple * atrAt(offset.atr, signalBar), signalClose)
    const isMissing = (distance: ExecutionSpec['stopLoss']): boolean => distance !== null && typeof distance !== 'number' && Number.isNaN(atrAt(distance.atr, signalBar))
    if ([offset, e.stopLoss, e.takeProfit, e.trailingStop].some(isMissing)) { run.rejected++; return }
    const up = type === 'limit' ? side === -1 : side === 1
    order = { side, level: tick(level, up), signalBar, bars: life }
  }

  // F27 to F29. A funding is on time a minute off, or a quarter of the shortest bar.
  const shortest = Math.min(...Array.from({ length: bars.length - 1 }, (_, i) => at(bars.time, i + 1) - at(bars.time, i)))
  const pay = (bar: number): void => {
    if (lots.length === 0) return
    const [before, now] = [at(bars.time, bar - 1), at(bars.time, bar)]
    if (e.borrowRate > 0) {
      const owed = lots[0]?.side === 1 ? Math.max(0, -cash) : Math.abs(held()) * at(bars.close, bar - 1)
      const interest = (owed * e.borrowRate * (now - before)) / (365 * 24 * HOUR)
      cash -= interest
      run.interest += interest
      if (interest > 0) run.seen.add('interest')
    }
    if (e.perpetual === null) return
    const { funding } = e.perpetual
    const points: { time: number; rate: number }[] = []
    if ('intervalHours' in funding) {
      const step = funding.intervalHours * HOUR
      for (let time = Math.floor(before / step) * step; time <= now + step; time += step) points.push({ time, rate: funding.rate })
    } else points.push(...funding)
    const near = Math.min(HOUR / 60, shortest / 4, 'intervalHours' in funding ? (funding.intervalHours * HOUR) / 4 : Infinity)
    for (const { time: stamped, rate } of points) {
      const time = [before, now].find((barTime) => Math.abs(barTime - stamped) <= near) ?? stamped
      if (time <= before || time > now) continue
      for (const lot of lots) {
        if (lot.atClose && lot.bar === bar - 1 && time < now) continue
        const payment = lot.side * lot.units * at(bars.open, bar) * rate
        cash -= payment
        run.funding += payment
        run.seen.add('funding')
      }
    }
  }

  for (let bar = 0; bar < bars.length; bar++) {
    const isLast = bar === bars.length - 1
    const [o, c] = [at(bars.open, bar), at(bars.close, bar)]
    if (bar > 0) {
      pay(bar)
      findMargin()
      const side = lots[0]?.side
      if (margin !== null && side !== undefined && (side === 1 ? atOrBelow(o, margin) : atOrAbove(o, margin))) for (const lot of lots) close(lot, bar, o, e.stopSlippage, 'liquidation')
    }
    if (e.fill === 'next_open' && bar > 0 && !stopped) {
      const want = wantAt(bar - 1)
      // F14.
      let isVoid = false
      const hasStops = e.stopLoss !== null || e.takeProfit !== null || e.trailingStop !== null
      if (isDue(want) && e.stopPriority === 'stop_first' && hasStops && lots.length > 0) {
        findMargin()
        for (const lot of lots) if (worstCase(lot, bar)) isVoid = true
      }
      if (isDue(want) && !isVoid) follow(want, bar, o, bar - 1, false)
    }
    if (isLast && e.finalize === 'close_last_open') {
      closeAll(bar, o, e.stopSlippage, 'end')
      stopped = true
    }
    const rests = order as Order | null
    if (rests !== null && (stopped || (rests.bars !== null && bar > rests.signalBar + rests.bars))) { order = null; run.seen.add('order expired') }
    findMargin()
    if (e.intrabarPath === 'pessimistic') pessimisticBar(bar)
    else pathBar(bar)
    if (e.fill === 'close' && !stopped) follow(wantAt(bar), bar, c, bar, true)
    if (cash + held() * c <= Math.abs(cash) * 2 ** -48 && !stopped) {
      closeAll(bar, c, e.stopSlippage, 'liquidation')
      stopped = true
    }
    if (isLast && e.finalize === 'close_last_close') closeAll(bar, c, e.stopSlippage, 'end')
    run.equity.push(cash + held() * c)
    run.cash.push(cash)
    run.units.push(held())
  }
  return run
}
