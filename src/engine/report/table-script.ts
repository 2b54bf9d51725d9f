/** What runs in the reader's browser for tables: a click or a key on a heading sorts, choices above a table filter it. */
export const TABLE_SCRIPT = String.raw`
(function () {
  'use strict'
  function compare(column) {
    return function (a, b) {
      var x = a.cells[column].dataset.sort, y = b.cells[column].dataset.sort
      if (x === undefined) { x = a.cells[column].textContent; y = b.cells[column].textContent }
      return x !== '' && y !== '' && !isNaN(x) && !isNaN(y) ? x - y : String(x).localeCompare(String(y))
    }
  }
  document.querySelectorAll('table.sortable').forEach(function (table) {
    table.querySelectorAll('th[scope=col]').forEach(function (th, column) {
      th.tabIndex = 0
      function sort() {
        var up = th.getAttribute('aria-sort') !== 'ascending', body = table.tBodies[0], by = compare(column)
        table.querySelectorAll('th').forEach(function (other) { other.removeAttribute('aria-sort') })
        th.setAttribute('aria-sort', up ? 'ascending' : 'descending')
        Array.from(body.rows).sort(function (a, b) { return up ? by(a, b) : by(b, a) }).forEach(function (row) { body.appendChild(row) })
      }
      th.addEventListener('click', sort)
      th.addEventListener('keydown', function (event) { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); sort() } })
    })
  })
  var filters = document.getElementById('filters'), trades = document.getElementById('trades')
  if (!filters || !trades) return
  var choices = Array.from(filters.querySelectorAll('select')), rows = Array.from(trades.querySelectorAll('tbody tr')), shown = document.getElementById('shown')
  function filter() {
    var left = 0
    rows.forEach(function (row) {
      var fits = choices.every(function (choice) {
        if (choice.value === '') return true
        var cell = row.cells[+choice.dataset.column].dataset.sort
        return choice.dataset.sign ? (choice.value === '1' ? +cell > 0 : +cell <= 0) : cell === choice.value
      })
      row.hidden = !fits
      if (fits) left += 1
    })
    shown.textContent = left === rows.length ? '' : report.number(left, 0) + ' of ' + report.number(rows.length, 0) + ' rows'
  }
  choices.forEach(function (choice) { choice.addEventListener('change', filter) })
})()
`
