/** The frame of every report: one file with its style, its charts and its data, and no request to anywhere. */
import { AXES_SCRIPT } from './axes-script.js'
import { escapeHtml, scriptJson } from './markup.js'
import { TABLE_SCRIPT } from './table-script.js'

export interface ReportAssets {
  readonly uplotJs: string
  readonly uplotCss: string
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6570;--line:#dfe3e8;--paper:#fff;--tint:#f6f7f9;--a:#1f6feb;--b:#9aa4af;--bad:#c4314b;--good:#1a7f4b;--short:#b5532a}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#97a1ac;--line:#2c333b;--paper:#14181d;--tint:#1b2026;--a:#6ea8ff;--b:#75808b;--bad:#ff7b8e;--good:#57c98a;--short:#ffab70}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1180px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:22px;line-height:1.25;margin:0 0 2px;letter-spacing:-.01em}
h2{font-size:15px;margin:34px 0 10px;padding-top:12px;border-top:1px solid var(--line)}
p{margin:6px 0;max-width:76ch}.soft{color:var(--soft)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:1px;padding:1px;margin:18px 0 10px}
.tiles div{box-shadow:0 0 0 1px var(--line);padding:10px 12px}.tiles dt{color:var(--soft);font-size:12px}.tiles dd{margin:2px 0 0;font-size:19px;font-weight:600}.tiles small{display:block;font-weight:400;font-size:12px;color:var(--soft)}
.scroll{overflow-x:auto;border:1px solid var(--line)}
table{border-collapse:collapse;width:100%;font-size:13px}th,td{padding:5px 10px;text-align:right;white-space:nowrap}th{font-weight:600;color:var(--soft);border-bottom:1px solid var(--line);background:var(--tint)}
td{border-bottom:1px solid var(--line)}tr:last-child td{border-bottom:0}.l{text-align:left}th.group+th.group{border-left:1px solid var(--line)}
.sortable th{cursor:pointer}.sortable th[aria-sort=ascending]::after{content:" ↑"}.sortable th[aria-sort=descending]::after{content:" ↓"}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(250px,1fr));gap:4px 28px;margin:8px 0;font-size:13px}.facts div{display:flex;justify-content:space-between;gap:12px;border-bottom:1px dotted var(--line);min-width:0}.facts dt{color:var(--soft);flex:none}.facts dd{margin:0;overflow-wrap:anywhere;text-align:right}
code{font:12px/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.warn{border-left:3px solid var(--bad);padding:2px 0 2px 12px;margin:8px 0}
.heat{display:grid;grid-template-columns:auto minmax(0,1fr);gap:4px 8px;max-width:760px}.heat .title{color:var(--soft);font-size:12px;font-weight:600}.heat .x.title{justify-content:center}.heat .y.title{grid-column:1/3;text-align:left}.heat .plot{position:relative;border:1px solid var(--line)}.heat canvas{display:block;width:100%;height:min(420px,70vw);image-rendering:pixelated;cursor:crosshair}
.heat .y,.heat .x{display:flex;justify-content:space-between;color:var(--soft);font-size:12px}.heat .y{flex-direction:column;text-align:right}.heat .x{grid-column:2}
.mark{position:absolute;width:14px;height:14px;margin:-7px;border:2px solid #fff;outline:1.5px solid #000;border-radius:50%;pointer-events:none}
.legend{display:flex;flex-wrap:wrap;align-items:center;gap:8px;margin:8px 0;font-size:12px;color:var(--soft)}.legend i{flex:0 0 180px;height:10px;border:1px solid var(--line)}.readout{min-height:1.5em;font-size:13px}
.metrics{columns:3 300px;column-gap:32px;font-size:13px}.metrics section{break-inside:avoid;margin:0 0 22px}.metrics h3{margin:0 0 4px}h3{font-size:13px;margin:12px 0 4px;color:var(--soft);font-weight:600}.metrics dl{margin:0}.metrics dl div{display:flex;justify-content:space-between;gap:12px;border-bottom:1px dotted var(--line);padding:2px 0}.metrics dd{margin:0;text-align:right;font-weight:500}.metrics dd small{display:block;font-weight:400;color:var(--soft)}dt[title]{cursor:help}
.definitions{font-size:13px;color:var(--soft);margin:6px 0}.definitions summary{cursor:pointer}.defs div{display:grid;grid-template-columns:minmax(130px,240px) 1fr;gap:12px;padding:2px 0;border-bottom:1px dotted var(--line)}.defs dd{margin:0}
.pair{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,420px),1fr));gap:12px 28px}.pair>div{min-width:0}
.shape{width:100%;height:auto;display:block;font-size:11px}.shape text{fill:var(--soft)}.shape .pos{fill:var(--good)}.shape .neg{fill:var(--bad)}.shape .dots{opacity:.6}.shape .grid{stroke:var(--line)}.shape .zero{stroke:var(--soft)}
.months td,.months th{padding:5px 6px;font-size:12px}.months td{-webkit-print-color-adjust:exact;print-color-adjust:exact}
.tall{max-height:560px;overflow-y:auto}.tall thead th{position:sticky;top:0;z-index:1}.bad{color:var(--bad)}td button{font:inherit;color:var(--a);background:none;border:0;padding:0;cursor:pointer;text-decoration:underline dotted}
.filters{display:flex;flex-wrap:wrap;gap:6px 16px;margin:6px 0;font-size:13px;color:var(--soft)}.filters select{font:inherit;color:var(--ink);background:var(--paper);border:1px solid var(--line);padding:1px 4px}
.note{font-size:13px;color:var(--soft)}.bar{display:flex;flex-wrap:wrap;gap:8px;align-items:baseline;justify-content:space-between}.u-legend .range{display:none}.print-only{display:none}#mark{min-height:1.5em;font-size:13px;color:var(--soft)}
.chart{margin:6px 0 14px;min-width:0;overflow:hidden}th.group{text-align:center}.u-legend{font-size:12px;text-align:left}.toggle{font:inherit;font-size:12px;color:var(--a);background:none;border:1px solid var(--line);padding:2px 8px;cursor:pointer}
@media print{main{max-width:none;padding:0}.toggle,.filters,#mark{display:none}h2,h3{break-after:avoid}.chart,.shape{break-inside:avoid}.scroll{overflow:visible}.tall{max-height:none}.tall thead th{position:static}.tall tbody tr:nth-child(n+61){display:none}.print-only{display:block}}
@media (max-width:560px){main{padding:18px 12px 40px}.shape{font-size:14px}.tiles{grid-template-columns:repeat(auto-fit,minmax(104px,1fr))}.defs div{grid-template-columns:1fr;gap:0}}
`

export interface Page {
  readonly title: string
  readonly body: string
  /** What the charts draw, and the script that draws it. */
  readonly data: unknown
  readonly script: string
}

export function renderPage({ title, body, data, script }: Page, assets: ReportAssets): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${assets.uplotCss}${STYLE}</style></head>
<body><main>
${body}
</main>
<script type="application/json" id="data">${scriptJson(data)}</script>
<script>${assets.uplotJs.replaceAll('</script', '<\\/script')}</script>
<script>${AXES_SCRIPT};${TABLE_SCRIPT};${script}</script>
</body></html>
`
}
