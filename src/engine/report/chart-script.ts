/**
 * What runs in the browser of who reads a sweep's report: line charts (uPlot) and the heat map (a canvas).
 * Plain script without modules; it reads only the JSON element of its own page.
 */
export const CHART_SCRIPT = String.raw`
(function () {
  'use strict'
  var data = JSON.parse(document.getElementById('data').textContent)
  var css = report.css
  var charts = []

  function boundary(u) {
    if (!data.splitTime) return
    var x = u.valToPos(data.splitTime, 'x', true)
    var c = u.ctx
    c.save(); c.strokeStyle = css('--soft'); c.setLineDash([4, 4]); c.beginPath()
    c.moveTo(x, u.bbox.top); c.lineTo(x, u.bbox.top + u.bbox.height); c.stroke()
    if (u.root.parentNode.id === 'equity') { c.fillStyle = css('--soft'); c.textAlign = 'left'; c.font = 11 * devicePixelRatio + 'px system-ui'; c.fillText('held out', x + 5 * devicePixelRatio, u.bbox.top + 13 * devicePixelRatio) }
    c.restore()
  }
  function line(host, columns, series, height, log) {
    return new uPlot({
      width: host.clientWidth, height: height, tzDate: report.utc, legend: { live: true }, cursor: { sync: { key: 'report' } },
      scales: { x: { time: true }, y: log ? { distr: 3 } : {} },
      series: [{ value: function (u, t) { return t == null ? '–' : new Date(t * 1000).toISOString().slice(0, 10) } }].concat(series), axes: [report.timeAxis(), report.yAxis(log)],
      hooks: { draw: [boundary], ready: [report.rest], setCursor: [report.rest] }
    }, columns, host)
  }
  function amount(u, v) { return v == null ? '–' : report.amount(v) }
  // A sweep over one parameter: its objective as a line, in the order of the values.
  function profile(host, map) {
    var order = map.x.values.map(function (_, i) { return i }).sort(function (a, b) { return map.x.values[a] - map.x.values[b] })
    var columns = [order.map(function (i) { return map.x.values[i] }), order.map(function (i) { return map.cells[i] })]
    return new uPlot({
      width: host.clientWidth, height: 240, scales: { x: { time: false } }, axes: [report.xAxis(map.x.name), report.yAxis(false)],
      series: [{ label: map.x.name, value: function (u, v) { return v == null ? '–' : report.exact(v) } }, { label: map.objective, stroke: css('--a'), width: 1.5, value: function (u, v) { return report.digits(v, 4) } }],
      hooks: { ready: [report.rest], setCursor: [report.rest] }
    }, columns, host)
  }
  function draw() {
    charts.forEach(function (c) { c.destroy() }); charts = []
    report.aligned(function () { drawAll(); return charts })
  }
  function drawAll() {
    var alone = document.getElementById('profile')
    if (alone && data.heatMap) charts.push(profile(alone, data.heatMap))
    var equity = document.getElementById('equity'), water = document.getElementById('drawdown')
    if (equity && data.equity) {
      var series = [{ label: data.name, stroke: css('--a'), width: 1.5, value: amount }]
      if (data.equity.columns.length > 1) series.push({ label: 'Buy and hold', stroke: css('--b'), width: 1, value: amount })
      charts.push(line(equity, [data.equity.time].concat(data.equity.columns), series, 300, equity.dataset.log === '1'))
    }
    if (water && data.drawdown) {
      charts.push(line(water, [data.drawdown.time].concat(data.drawdown.columns), [{ label: 'Drawdown', stroke: css('--bad'), fill: css('--bad') + '33', width: 1, value: function (u, v) { return report.percent(v) } }], 160, false))
    }
  }
  var STOPS = [[68, 1, 84], [70, 50, 127], [54, 92, 141], [39, 127, 142], [31, 161, 135], [74, 194, 109], [159, 218, 58], [253, 231, 37]]
  function colour(t) {
    var p = Math.max(0, Math.min(1, t)) * (STOPS.length - 1), i = Math.min(STOPS.length - 2, Math.floor(p)), f = p - i
    return STOPS[i].map(function (a, k) { return Math.round(a + (STOPS[i + 1][k] - a) * f) })
  }
  function heat() {
    var map = data.heatMap, canvas = document.getElementById('heat')
    if (!map || !canvas) return
    var nx = map.x.values.length, ny = map.y.values.length
    var seen = map.cells.filter(function (v) { return v !== null }).sort(function (a, b) { return a - b })
    // The lowest two percent share a colour, so that one ruinous corner does not flatten the rest.
    var low = seen[Math.floor(seen.length * (data.direction === 'minimize' ? 0 : 0.02))], high = seen[Math.ceil((seen.length - 1) * (data.direction === 'minimize' ? 0.98 : 1))]
    canvas.width = nx; canvas.height = ny
    var ctx = canvas.getContext('2d'), image = ctx.createImageData(nx, ny)
    for (var r = 0; r < ny; r++) for (var c = 0; c < nx; c++) {
      var v = map.cells[r * nx + c], at = ((ny - 1 - r) * nx + c) * 4
      if (v === null) { image.data[at + 3] = 0; continue }
      var t = high > low ? (v - low) / (high - low) : 1
      var rgb = colour(data.direction === 'minimize' ? 1 - t : t)
      image.data[at] = rgb[0]; image.data[at + 1] = rgb[1]; image.data[at + 2] = rgb[2]; image.data[at + 3] = 255
    }
    ctx.putImageData(image, 0, 0)
    var bar = document.getElementById('scale'), stops = []
    for (var s = 0; s <= 10; s++) stops.push('rgb(' + colour(data.direction === 'minimize' ? 1 - s / 10 : s / 10).join(',') + ')')
    bar.style.background = 'linear-gradient(to right,' + stops.join(',') + ')'
    document.getElementById('low').textContent = report.digits(low, 3); document.getElementById('high').textContent = report.digits(high, 3)
    var out = document.getElementById('readout')
    canvas.addEventListener('mousemove', function (event) {
      var box = canvas.getBoundingClientRect()
      var c = Math.min(nx - 1, Math.max(0, Math.floor((event.clientX - box.left) / box.width * nx)))
      var r = ny - 1 - Math.min(ny - 1, Math.max(0, Math.floor((event.clientY - box.top) / box.height * ny)))
      var v = map.cells[r * nx + c]
      out.textContent = map.x.name + ' ' + report.exact(map.x.values[c]) + ', ' + map.y.name + ' ' + report.exact(map.y.values[r]) + ': ' + (v === null ? 'no trial' : map.objective + ' ' + report.digits(v, 4))
    })
  }
  var toggle = document.getElementById('log')
  if (toggle) toggle.addEventListener('click', function () {
    var host = document.getElementById('equity'), log = host.dataset.log === '1'
    host.dataset.log = log ? '0' : '1'; toggle.textContent = log ? 'Logarithmic' : 'Linear'; draw()
  })
  var equityHost = document.getElementById('equity'), drawnWidth = 0
  if (equityHost) new ResizeObserver(function () {
    if (equityHost.clientWidth !== drawnWidth) { drawnWidth = equityHost.clientWidth; draw() }
  }).observe(equityHost)
  if (matchMedia) matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)
  heat()
})()
`
