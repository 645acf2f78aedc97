"""How the page of a report looks."""

LOOK = """
:root{--ink:#1c2430;--dim:#5d6878;--line:#dde3ea;--paper:#f6f8fa;--good:#12704a;--bad:#a3262a;--mark:#fff1c9}
*{box-sizing:border-box}
body{margin:0;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
header{color:#fff;padding:28px 5vw 22px}
header.good{background:var(--good)}header.bad{background:var(--bad)}
header h1{margin:0 0 6px;font-size:28px;font-weight:650}
header ul{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:4px 26px;opacity:.92}
main{padding:22px 5vw 60px;max-width:1500px;margin:auto}
section{margin-bottom:30px}
h2{font-size:19px;margin:0 0 10px}h3{margin:24px 0 8px;font-size:16px}
h4{margin:10px 0 4px;font-size:13px;color:var(--dim);text-transform:uppercase;letter-spacing:.05em}
small{color:var(--dim);font-weight:400}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:14px}
.tiles div,.three>div,.notes{background:#fff;border:1px solid var(--line);border-radius:10px}
.tiles div,.three>div,.notes{padding:14px 16px}
.tiles div{color:var(--dim);font-size:13px}
.tiles b{display:block;font-size:26px;color:var(--ink);font-variant-numeric:tabular-nums}
.three{display:grid;grid-template-columns:repeat(auto-fit,minmax(330px,1fr));gap:14px;align-items:start}
.three td:first-child{overflow-wrap:anywhere}
.notes ul{margin:0;padding-left:18px}
table{border-collapse:collapse;width:100%;font-size:13.5px}
td,th{padding:3px 7px;border-top:1px solid var(--line);text-align:left;vertical-align:top}
.n{text-align:right;font-variant-numeric:tabular-nums}
.bar{width:25%}.bar i{display:block;height:9px;margin-top:6px;border-radius:5px;background:#c8575b}
details{background:#fff;border:1px solid var(--line);border-radius:10px;margin:6px 0;padding:8px 14px}
details.ignored{opacity:.75}
summary{cursor:pointer;overflow-wrap:anywhere}
pre{background:var(--paper);border-radius:8px;padding:10px 12px;margin:0;overflow:auto;font-size:12.5px}
code,.body td{font-family:ui-monospace,monospace;font-size:12.5px}
.two{display:grid;grid-template-columns:1fr 1fr;gap:16px}
.body td{overflow-wrap:anywhere}.body td:first-child{width:38%;color:var(--dim)}
.differs{background:var(--mark)}.differs td:last-child{font-weight:650}
.wide{overflow:auto;background:#fff;border:1px solid var(--line);border-radius:10px}
.coverage{font-size:12.5px}.coverage th{background:#fff;text-align:center;white-space:nowrap}
.zero{background:#f9dcdc;color:#8d1d21}.few{background:var(--mark)}.many{background:#dcf1e6}
.none{background:#eef1f4}
@media(max-width:760px){.two{grid-template-columns:1fr}}
@media print{details{break-inside:avoid}}
""".strip()
