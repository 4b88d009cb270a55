import { html } from './html.js';

/** Light by default and on paper; dark where the screen asks for it. Texts have a contrast of 4.5 at least, lines of 3. */
export const STYLE = html`
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1b1d20; --quiet: #555b63; --grid: #d9dde2; --rule: #81878f;
  --canary: #0b5cad; --baseline: #6b6f75; --original: #9a3d00; --counterfactual: #6d28a8; --mean: #00695c; --gap: #e9ebee;
  --promote: #d3efdb; --on-promote: #0b4a1f; --rollback: #fbd9d7; --on-rollback: #7a1210; --block: #fcebbf;
  --on-block: #573b00; --insufficient: #e4e6e9; --on-insufficient: #33373c; }
@media screen and (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e8eaed; --quiet: #b2b8c0;
  --grid: #333a41; --rule: #89919a; --canary: #74b6ff; --baseline: #a9afb7; --original: #ffb37d; --counterfactual: #d3aaff;
  --mean: #5fd4c2; --gap: #262b30; --promote: #123a20; --on-promote: #aeeabf; --rollback: #4d1716; --on-rollback: #ffc9c6;
  --block: #43320a; --on-block: #ffe09a; --insufficient: #343a40; --on-insufficient: #e3e6e9; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
header { border-bottom: 3px solid var(--ink); margin-bottom: 1.5rem; }
.kind { margin: 0; color: var(--quiet); font-size: .85rem; font-weight: 600; letter-spacing: .06em; text-transform: uppercase; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .3rem 0 .5rem; } h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; } h3 { font-size: 1.05rem; }
a { color: var(--canary); } code { font-size: .85em; }
section.canary { border-top: 2px solid var(--rule); margin-top: 2.5rem; } section.canary h2 { margin-top: 1rem; }
.answer { border-left: 4px solid var(--counterfactual); padding: .4rem .8rem; background: var(--gap); }
.whole { white-space: nowrap; }
dl { display: grid; gap: .2rem; } dl div { display: flex; flex-wrap: wrap; gap: 0 1rem; }
dt { color: var(--quiet); min-width: 12rem; } dd { margin: 0; }
.scroll { overflow-x: auto; margin: .75rem 0; } .scroll:focus-visible { outline: 2px solid var(--canary); }
.scroll.wide > * { min-width: 36rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--grid);
  font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
td code { overflow-wrap: anywhere; } figure .scroll { margin: .3rem 0; }
thead th { color: var(--quiet); border-bottom-color: var(--rule); }
tbody th { font-weight: 500; }
.badge { padding: 0 .45rem; border-radius: .3rem; font-weight: 600; white-space: nowrap; }
.badge.promote { background: var(--promote); color: var(--on-promote); }
.badge.rollback { background: var(--rollback); color: var(--on-rollback); }
.badge.block { background: var(--block); color: var(--on-block); }
.badge.insufficient { background: var(--insufficient); color: var(--on-insufficient); }
figure { margin: 1.5rem 0; } figcaption { font-weight: 600; }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--quiet); font-size: 12px; }
svg .middle { text-anchor: middle; } svg .end { text-anchor: end; }
svg text.on { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
svg text.original { fill: var(--original); } svg text.counterfactual { fill: var(--counterfactual); }
.grid { stroke: var(--grid); fill: none; } .axis { stroke: var(--rule); fill: none; } .gap { fill: var(--gap); }
.line { fill: none; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
.line.canary { stroke: var(--canary); } .line.baseline { stroke: var(--baseline); stroke-dasharray: 5 4; }
.line.mean { stroke: var(--mean); stroke-width: 2.2; } .line.original { stroke: var(--original); stroke-dasharray: 7 3; }
.line.counterfactual { stroke: var(--counterfactual); }
.band { stroke-width: 1; stroke-linejoin: round; fill-opacity: .18; }
.band.canary { fill: var(--canary); stroke: var(--canary); }
.band.baseline { fill: none; stroke: var(--baseline); stroke-dasharray: 4 3; }
.band.mean { fill: var(--mean); stroke: var(--mean); } .band.faint { stroke-opacity: .5; }
.limit { fill: none; stroke-width: 1.4; stroke-dasharray: 2 3; } .marker { fill: none; stroke-width: 1.2; }
.limit.original, .marker.original { stroke: var(--original); } .head.original { fill: var(--original); }
.limit.counterfactual, .marker.counterfactual { stroke: var(--counterfactual); }
.head.counterfactual { fill: var(--counterfactual); } .marker.flip { stroke: var(--ink); stroke-width: 2; }
.cell { stroke: var(--paper); } .cell.promote { fill: var(--promote); } .cell.rollback { fill: var(--rollback); }
.cell.block { fill: var(--block); } .cell.insufficient { fill: var(--insufficient); }
pattern path { fill: none; stroke: var(--rule); }
svg text.letter { fill: var(--ink); font-weight: 600; paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; margin: .2rem 0; padding: 0; font-size: .85rem; }
.key { display: inline-block; width: 1.6rem; margin-right: .4rem; vertical-align: middle; border-top: 3px solid currentColor; }
.key.canary { color: var(--canary); } .key.baseline { color: var(--baseline); border-top-style: dashed; }
.key.mean { color: var(--mean); } .key.original { color: var(--original); border-top-style: dashed; }
.key.counterfactual { color: var(--counterfactual); } .key.band, .key.faint { height: .8rem; border: 1px solid currentColor; }
.key.faint { border-style: dotted; } .key.band.baseline { border-style: dashed; }
.key.cell { height: .9rem; border: 1px solid var(--rule); }
.key.promote { background: var(--promote); } .key.rollback { background: var(--rollback); }
.key.block { background: var(--block); } .key.insufficient { background: var(--insufficient); }
.note { color: var(--quiet); font-size: .85rem; margin: .3rem 0; }
summary { cursor: pointer; color: var(--canary); font-size: .9rem; } summary:focus-visible { outline: 2px solid currentColor; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; print-color-adjust: exact; }
  figure, tr { break-inside: avoid; } h2, h3, figcaption, caption { break-after: avoid; } section.canary { break-before: page; }
  details:not([open]) { display: none; } .scroll { overflow: visible; } .scroll.wide > * { min-width: 0; } .whole { white-space: normal; }
  th, td { overflow-wrap: anywhere; } }
`;
