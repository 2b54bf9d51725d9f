/**
 * What runs in the browser of who reads a backtest's report: charts (uPlot) that share one x axis. Plain script without
 * modules; it reads only the JSON element of its own page.
 */
export const BACKTEST_SCRIPT = String.raw`
(function () {
  'use strict'
  var data = JSON.parse(document.getElementById('data').textContent)
  var css = report.css, number = report.number, rest = report.rest
  var charts = [], busy = false, range = null
  var PALETTE = ['#e08a1e', '#8a5cf6', '#0fa3a3', '#d6409f', '#7a8b2a', '#3f7fd1', '#b5532a', '#5d6d7e']
  var intraday = data.dayShift === 0 && data.time.some(function (t) { return t % 86400 !== 0 })
  function when(t) { return new Date((t + data.dayShift) * 1000).toISOString().slice(0, intraday ? 16 : 10).replace('T', ' ') }

  function shareX(u, key) {
    if (key !== 'x' || busy) return
    range = { min: u.scales.x.min, max: u.scales.x.max }
    busy = true
    charts.forEach(function (other) { if (other !== u) other.setScale('x', range) })
    busy = false
  }
  function chart(id, height, columns, series, options) {
    var host = document.getElementById(id)
    if (!host) return
    host.textContent = ''
    var o = options || {}
    var narrow = host.clientWidth < 520
    charts.push(new uPlot({
      width: host.clientWidth, height: narrow && height > 200 ? Math.round(height * 0.8) : height, tzDate: report.utc,
      cursor: { sync: { key: 'report', setSeries: false, filters: { pub: function (type) { return type !== 'mouseup' && type !== 'mousedown' && type !== 'dblclick' } } }, drag: { x: true, y: false } },
      scales: { x: { time: true }, y: o.log ? { distr: 3 } : o.range ? { range: o.range } : {} },
      bands: o.bands || [],
      series: [{ value: function (u, t) { return t == null ? '–' : when(t) } }].concat(series.map(function (one) { return Object.assign({ points: { show: false } }, one) })),
      axes: [report.timeAxis(), report.yAxis(o.log)],
      hooks: { ready: [rest], setCursor: [rest].concat(o.onCursor || []), setScale: [shareX], draw: o.draw || [] }
    }, [data.time].concat(columns), host))
  }
  function amount(u, v) { return v == null ? '–' : report.amount(v) }
  // A line with the range of each point behind it, where a point is more than a bar.
  function ranged(columns, series, bands, line, label, colour, options) {
    columns.push(line.last)
    series.push(Object.assign({ label: label, stroke: colour, width: 1.4, value: amount }, options))
    if (!line.low) return
    columns.push(line.high, line.low)
    var at = columns.length
    series.push({ label: label + ' high', class: 'range', stroke: 'transparent', width: 0 }, { label: label + ' low', class: 'range', stroke: 'transparent', width: 0 })
    bands.push({ series: [at - 1, at], fill: colour + '2e' })
  }

  function equity() {
    var host = document.getElementById('equity'), log = host.dataset.log === '1'
    var columns = [], series = [], bands = []
    ranged(columns, series, bands, data.equity, data.name, css('--a'))
    columns.push(data.hold)
    series.push({ label: data.holdName, stroke: css('--b'), width: 1, value: amount })
    chart('equity', 300, columns, series, { bands: bands, log: log })
    chart('drawdown', 130, [data.drawdown], [{ label: 'Drawdown', stroke: css('--bad'), fill: css('--bad') + '33', width: 1, value: function (u, v) { return report.percent(v) } }], { range: function (u, low) { return [low == null ? -1 : Math.min(low * 1.05, -1e-9), 0] } })
    if (data.sharpe) chart('sharpe', 150, [data.sharpe], [{ label: 'Sharpe', stroke: css('--a'), width: 1.2, value: function (u, v) { return number(v) } }])
  }

  function inside(u, t) { return t >= u.scales.x.min && t <= u.scales.x.max }
  function candles(u) {
    var from = u.valToIdx(u.scales.x.min), to = u.valToIdx(u.scales.x.max), room = u.bbox.width / Math.max(1, to - from)
    if (room < 4 * devicePixelRatio) return
    var c = u.ctx, half = Math.max(1, Math.floor(room * 0.3)), p = data.price
    c.save(); c.beginPath(); c.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height); c.clip()
    for (var i = from; i <= to; i++) {
      var x = Math.round(u.valToPos(data.time[i], 'x', true)), o = u.valToPos(p.open[i], 'y', true), e = u.valToPos(p.close[i], 'y', true)
      c.fillStyle = c.strokeStyle = p.close[i] >= p.open[i] ? css('--good') : css('--bad')
      c.fillRect(x - Math.floor(devicePixelRatio / 2), u.valToPos(p.high[i], 'y', true), Math.max(1, devicePixelRatio), Math.max(1, u.valToPos(p.low[i], 'y', true) - u.valToPos(p.high[i], 'y', true)))
      c.fillRect(x - half, Math.min(o, e), half * 2, Math.max(1, Math.abs(e - o)))
    }
    c.restore()
  }
  function triangle(c, x, y, up, size) {
    c.beginPath(); c.moveTo(x, y); c.lineTo(x - size, y + (up ? size : -size) * 1.6); c.lineTo(x + size, y + (up ? size : -size) * 1.6); c.closePath()
  }
  function marks(u) {
    var c = u.ctx, seen = data.marks.filter(function (m) { return inside(u, m[2]) || inside(u, m[4]) || (m[2] < u.scales.x.min && m[4] > u.scales.x.max) })
    var size = (seen.length > 250 ? 2.5 : 5) * devicePixelRatio
    c.save(); c.beginPath(); c.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height); c.clip()
    seen.forEach(function (m) {
      var ex = u.valToPos(m[2], 'x', true), ey = u.valToPos(m[3], 'y', true), xx = u.valToPos(m[4], 'x', true), xy = u.valToPos(m[5], 'y', true)
      var gain = m[6] > 0 ? css('--good') : css('--bad')
      c.strokeStyle = gain; c.lineWidth = devicePixelRatio; c.globalAlpha = 0.55; c.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio])
      c.beginPath(); c.moveTo(ex, ey); c.lineTo(xx, xy); c.stroke(); c.setLineDash([]); c.globalAlpha = 1
      c.fillStyle = m[1] > 0 ? css('--a') : css('--short')
      triangle(c, ex, ey, m[1] > 0, size); c.fill()
      c.fillStyle = css('--paper'); c.strokeStyle = gain; c.lineWidth = 1.5 * devicePixelRatio
      triangle(c, xx, xy, m[1] < 0, size); c.fill(); c.stroke()
    })
    c.restore()
  }
  function nearestTrade(u) {
    var out = document.getElementById('mark'), best = null, least = 18
    if (!out || u.cursor.left == null || u.cursor.left < 0) return
    data.marks.forEach(function (m) {
      [[m[2], m[3]], [m[4], m[5]]].forEach(function (at) {
        if (!inside(u, at[0])) return
        var d = Math.hypot(u.valToPos(at[0], 'x') - u.cursor.left, u.valToPos(at[1], 'y') - u.cursor.top)
        if (d < least) { least = d; best = m }
      })
    })
    out.textContent = best === null ? '' : 'Trade ' + best[0] + ', ' + (best[1] > 0 ? 'long' : 'short') + ': ' + when(best[2]) + ' at ' + report.amount(best[3]) + ' to ' + when(best[4]) + ' at ' + report.amount(best[5]) + ', ' + report.percent(best[7]) + ', P&L ' + number(best[6])
  }
  function price() {
    if (!data.price) return
    var columns = [], series = [], bands = [], p = data.price
    ranged(columns, series, bands, { last: p.close, high: p.high, low: p.low }, 'Close', css('--b'), { width: 1 })
    data.indicators.forEach(function (one, i) { if (one.panel === null) ranged(columns, series, bands, one.line, one.label, PALETTE[i % PALETTE.length], { width: 1 }) })
    chart('price', 380, columns, series, { bands: bands, draw: [candles, marks], onCursor: [nearestTrade] })
    document.querySelectorAll('.panel').forEach(function (host) {
      var c = [], s = [], b = []
      data.indicators.forEach(function (one, i) { if (one.panel === host.dataset.panel) ranged(c, s, b, one.line, one.label, PALETTE[i % PALETTE.length], { width: 1 }) })
      chart(host.id, 130, c, s, { bands: b })
    })
  }
  function draw() {
    charts.forEach(function (c) { c.destroy() })
    charts = []
    busy = true
    report.aligned(function () { equity(); price(); return charts })
    if (range) charts.forEach(function (c) { c.setScale('x', range) })
    busy = false
  }

  var toggle = document.getElementById('log')
  toggle.addEventListener('click', function () {
    var host = document.getElementById('equity'), log = host.dataset.log === '1'
    host.dataset.log = log ? '0' : '1'; toggle.textContent = log ? 'Logarithmic' : 'Linear'; draw()
  })
  document.querySelectorAll('[data-zoom]').forEach(function (button) {
    button.addEventListener('click', function () {
      var ends = button.dataset.zoom.split(',').map(Number), step = data.time.length > 1 ? (data.time[data.time.length - 1] - data.time[0]) / (data.time.length - 1) : 86400
      var margin = Math.max(10 * step, (ends[1] - ends[0]) * 0.5)
      range = { min: Math.max(data.time[0], ends[0] - margin), max: Math.min(data.time[data.time.length - 1], ends[1] + margin) }
      charts.forEach(function (c) { c.setScale('x', range) })
      document.getElementById(data.price ? 'price' : 'equity').scrollIntoView({ behavior: 'smooth', block: 'center' })
    })
  })
  var host = document.getElementById('equity'), drawnWidth = 0
  new ResizeObserver(function () {
    if (host.clientWidth !== drawnWidth) { drawnWidth = host.clientWidth; draw() }
  }).observe(host)
  if (matchMedia) matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)
})()
`
