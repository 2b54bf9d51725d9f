/**
 * What every chart of a report shares, in the browser of who reads it: numbers as the page around them writes them, times in
 * UTC as ISO does, and axes whose labels are never cut off and that have at least three ticks, whatever the width.
 */
export const AXES_SCRIPT = String.raw`
var report = (function () {
  'use strict'
  var THIN = '\u202f', DASH = '–', MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
  var css = function (name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim() }
  // As formatNumber of the page: thousands grouped, a true minus, as many decimals in each.
  function number(value, digits) {
    if (value == null || !isFinite(value)) return DASH
    var parts = Math.abs(value).toFixed(digits === undefined ? 2 : digits).split('.')
    var whole = parts[0].replace(/\B(?=(\d{3})+$)/g, THIN)
    return (value < 0 && /[1-9]/.test(parts.join('')) ? '\u2212' : '') + whole + (parts[1] === undefined ? '' : '.' + parts[1])
  }
  // Of what may be a price of thousands or of a millionth.
  function amount(value) {
    var size = Math.abs(value)
    return number(value, size >= 100 || size === 0 ? 2 : size >= 1 ? 4 : 8)
  }
  // So many digits that count, and every digit before the point.
  function digits(value, count) {
    return value == null || !isFinite(value) ? DASH : number(value, value === 0 ? count - 1 : Math.min(12, Math.max(0, count - 1 - Math.floor(Math.log10(Math.abs(value))))))
  }
  // All that is written of it: a parameter.
  function exact(value) { return typeof value === 'number' ? number(value, decimals(value)) : String(value) }
  function decimals(value) {
    for (var d = 0; d < 12; d++) if (Math.abs(Number(value.toFixed(d)) - value) <= Math.abs(value) * 1e-9) return d
    return 12
  }

  function multiples(min, max, step) {
    var found = []
    for (var k = Math.ceil(min / step - 1e-9); k <= Math.floor(max / step + 1e-9); k++) found.push(Number((k * step).toPrecision(12)))
    return found
  }
  function smaller(step) {
    var m = step / Math.pow(10, Math.floor(Math.log10(step) + 1e-9))
    return m > 2.4 && m < 2.6 ? step * 0.8 : step / 2
  }
  function linearSplits(min, max, step) {
    if (!(max > min) || !(step > 0)) return [min]
    var found = multiples(min, max, step)
    for (var tries = 0; found.length < 3 && tries < 40; tries++) { step = smaller(step); found = multiples(min, max, step) }
    return found
  }
  var MANTISSAS = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7]]
  function logSplits(min, max) {
    for (var set = 0; set < MANTISSAS.length; set++) {
      var found = []
      for (var power = Math.floor(Math.log10(min)); power <= Math.log10(max); power++) {
        MANTISSAS[set].forEach(function (m) { var at = Number((m * Math.pow(10, power)).toPrecision(12)); if (at >= min && at <= max) found.push(at) })
      }
      if (found.length >= 3) return found
    }
    return linearSplits(min, max, Math.pow(10, Math.floor(Math.log10(max - min))))
  }
  function numbers(u, splits) {
    var digits = splits.reduce(function (most, value) { return Math.max(most, decimals(value)) }, 0)
    return splits.map(function (value) { return number(value, digits) })
  }
  // Charts that stand below each other share their x axis, so their plots begin where the widest label ends.
  var left = 0
  function widest(u, values, index, cycle) {
    var axis = u.axes[index]
    if (cycle > 1) return axis._size
    u.ctx.font = axis.font[0]
    var most = (values || []).reduce(function (most, text) { return Math.max(most, u.ctx.measureText(text).width) }, 0)
    left = Math.max(left, Math.ceil(most / devicePixelRatio) + axis.ticks.size + axis.gap + 2)
    return left
  }
  function lines() { return { stroke: css('--soft'), grid: { stroke: css('--line'), width: 1 }, ticks: { stroke: css('--line'), width: 1 } } }
  function yAxis(log) {
    return Object.assign(lines(), {
      size: widest, space: 26, values: numbers, filter: function (u, splits) { return splits },
      splits: function (u, index, min, max, step) { return log ? logSplits(min, max) : linearSplits(min, max, step) }
    })
  }
  function xAxis(title) {
    return Object.assign(lines(), { label: title, values: numbers, space: room, splits: function (u, index, min, max, step) { return linearSplits(min, max, step) } })
  }
  // The steps that uPlot chooses from are up to two and a half times each other: so close that three fit in any case.
  function room(u, index, min, max, width) { return Math.min(60, width / 7.5) }
  // Days as ISO writes them; below them the month's or the day's year, where it turns.
  function timeLabels(u, splits, index, space, step) {
    var before = ''
    return splits.map(function (t) {
      var iso = new Date(t * 1000).toISOString(), year = iso.slice(0, 4), day = iso.slice(5, 10), first = before === ''
      var below = step < 86400 ? iso.slice(0, 10) : year
      var text = step >= 31536000 ? year : step >= 2419200 ? MONTHS[+iso.slice(5, 7) - 1] : step >= 86400 ? day : iso.slice(11, 16)
      var turned = below !== before
      before = below
      return step >= 31536000 || !(first || turned) ? text : text + '\n' + below
    })
  }
  function timeAxis() { return Object.assign(lines(), { values: timeLabels, space: room }) }
  function utc(t) { return uPlot.tzDate(new Date(t * 1000), 'UTC') }
  // Once all are there, the plots of all begin at the same pixel.
  function aligned(draw) {
    left = 0
    var charts = draw()
    charts.forEach(function (chart) { chart.redraw(false, true) })
    return charts
  }
  // Where no cursor is, the legend shows the last bar.
  function rest(u) { if (u.cursor.idx == null) u.setLegend({ idx: u.data[0].length - 1 }, false) }
  return { css: css, number: number, amount: amount, digits: digits, exact: exact, percent: function (value, digits) { return value == null ? DASH : number(value, digits) + THIN + '%' },
    yAxis: yAxis, xAxis: xAxis, timeAxis: timeAxis, utc: utc, aligned: aligned, rest: rest, linearSplits: linearSplits, logSplits: logSplits }
})()
`
