"""The page's only style sheet: light and dark as the reader's system has it, contrasts of 7 to 1 and more."""

CSS = """
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1a1a1a; --soft: #454545; --line: #767676;
  --link: #003a8c; --bad: #8a0000; --badground: #fff0f0; --stable: #003a8c; --canary: #7a2e00; --other: #454545; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #121212; --ink: #f2f2f2; --soft: #c8c8c8; --line: #8c8c8c; --link: #a8ccff; --bad: #ffb3b3;
    --badground: #3a1212; --stable: #a8ccff; --canary: #ffc9a3; --other: #c8c8c8; } }
* { box-sizing: border-box; }
body { background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 80rem; padding: 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0 0 .25rem; }
a { color: var(--link); } a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
p { margin: .5rem 0; max-width: 60rem; } .soft { color: var(--soft); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: .5rem 0; padding: 0; }
.skip { position: absolute; left: -100rem; } .skip:focus { left: 1rem; background: var(--ground); padding: .5rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; min-width: min(30rem, 100%); }
caption { color: var(--soft); padding: .25rem 0; text-align: left; }
tbody th { white-space: nowrap; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .75rem .35rem 0; text-align: left; vertical-align: top; }
td.n, th.n { font-variant-numeric: tabular-nums; text-align: right; } th.n { padding-left: .5rem; }
.bad { background: var(--badground); border-left: .4rem solid var(--bad); padding: .5rem 1rem; }
ul.bad { padding-left: 2rem; } figcaption ul { margin: .5rem 0; padding-left: 1.25rem; }
.charts { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); }
figure { margin: 0; } svg { display: block; height: auto; width: 100%; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; } .axis { stroke: var(--line); }
.stable, .canary, .other { fill: none; stroke: var(--other); stroke-width: 2; }
.stable { stroke: var(--stable); } .canary { stroke: var(--canary); stroke-dasharray: 6 4; }
.other { stroke-dasharray: 2 4; } figcaption { color: var(--soft); }
.step { background: var(--link); display: inline-block; height: .6rem; min-width: 2px; }
.bar { min-width: 12rem; }
"""
