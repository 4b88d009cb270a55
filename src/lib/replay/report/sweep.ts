import { plural } from '../../explain/index.js';
import type { Outcome, Sweep } from '../result.js';
import { type Html, html, scroller, table } from './html.js';
import { pixel } from './scale.js';
import { OUTCOME_LETTERS, OUTCOME_WORDS, OUTCOMES } from './words.js';

type Cell = Sweep['cells'][number];

const LEFT = 96;
const RIGHT = 750;
const ROW = 22;
const MOST_ROWS = 120;
const MOST_TABLE_ROWS = 1000;

/** Which outcome each combination gives: the last axis runs across, each combination of the others is a row. */
export function sweepMap(sweep: Sweep): Html {
  const { cells, flipPoints } = sweep;
  if (cells.length === 0) return html``;
  const points = flipPoints.map(
    ({ path, below, above, from, to }) =>
      html`<li><code>${path}</code>: ${OUTCOME_WORDS[from]} up to ${below}, ${OUTCOME_WORDS[to]} from ${above}</li>`,
  );
  return html`<section aria-labelledby="sweep"><h2 id="sweep">Sweep</h2>
<figure><figcaption>Outcomes under each combination${axisWords(sweep)}</figcaption>
${mapSvg(sweep)}<ul class="legend">${OUTCOMES.map((outcome) => html`<li><span class="key cell ${outcome}"></span>${OUTCOME_LETTERS[outcome]} ${OUTCOME_WORDS[outcome]}</li>`)}</ul>
<p class="note">Each cell shows the most frequent outcome: a lower-case letter where not all canaries have it, * where a decision would change.</p>
${cellTable(sweep)}</figure>
${points.length === 0 ? null : html`<h3>Flip points</h3>\n<ul>${points}</ul>`}
</section>
`;
}

/** Rows show values only; the caption names their keys. */
function axisWords({ axes }: Sweep): Html {
  const down = axes.slice(0, -1).map(({ path }) => path);
  return down.length === 0 ? html`` : html`: <code>${down.join(' / ')}</code> down`;
}

function mapSvg({ axes, cells, flipPoints }: Sweep): Html {
  const across = axes.at(-1)?.values ?? [];
  const columns = Math.max(1, across.length);
  const rows = Math.ceil(cells.length / columns);
  const shown = Math.min(rows, MOST_ROWS);
  const width = (RIGHT - LEFT) / columns;
  const bottom = shown * ROW;
  const lines = Array.from({ length: shown }, (_, row) => {
    const here = cells.slice(row * columns, (row + 1) * columns);
    const label = here[0]?.values.slice(0, -1).join(' / ') ?? '';
    const beside = label === '' ? null : html`<text class="end" x="${LEFT - 6}" y="${row * ROW + 15}">${label}</text>`;
    return html`${beside}${stretches(here).map((s) => stretch(s, row, width))}\n`;
  });
  const every = Math.ceil(columns / 12);
  const marks = across.map((value, i) =>
    i % every === 0
      ? html`<text class="middle" x="${pixel(LEFT + (i + 0.5) * width)}" y="${bottom + 16}">${value}</text>`
      : null,
  );
  const left = rows > shown ? ` ${rows - shown} more rows are in --json only.` : '';
  const drawing = html`<svg role="img" aria-labelledby="sweep-t sweep-d" viewBox="0 0 760 ${bottom + 42}">
<title id="sweep-t">Map of the sweep</title><desc id="sweep-d">Across: ${axes.at(-1)?.path ?? ''}. Down: ${
    axes
      .slice(0, -1)
      .map(({ path }) => path)
      .join(', ') || 'nothing'
  }. ${counted(cells)}.${left} The table below has the numbers.</desc>
<defs>
<pattern id="hatch-rollback" width="7" height="7" patternUnits="userSpaceOnUse"><path d="M0 7L7 0"/></pattern>
<pattern id="hatch-block" width="6" height="6" patternUnits="userSpaceOnUse"><path d="M0 3H6"/></pattern>
<pattern id="hatch-insufficient" width="6" height="6" patternUnits="userSpaceOnUse"><path d="M2 3h1.5"/></pattern>
</defs>
${lines}${marks}${flipPoints.map((point) => flipLine(point.below, across, width, bottom))}
<text class="middle" x="${(LEFT + RIGHT) / 2}" y="${bottom + 36}">${axes.at(-1)?.path ?? ''}</text>
</svg>`;
  return html`${scroller('Map of the sweep', drawing, 'wide')}${left === '' ? null : html`<p class="note">${left.trim()}</p>`}`;
}

/** Neighbouring cells that look the same, drawn as one shape. */
interface Stretch {
  begin: number;
  length: number;
  outcome: Outcome;
  letter: string;
}

function stretches(cells: readonly Cell[]): Stretch[] {
  const all: Stretch[] = [];
  for (const [i, cell] of cells.entries()) {
    const outcome = mostFrequent(cell);
    const letter = letterOf(cell, outcome);
    const before = all.at(-1);
    if (before?.outcome === outcome && before.letter === letter) before.length++;
    else all.push({ begin: i, length: 1, outcome, letter });
  }
  return all;
}

function stretch({ begin, length, outcome, letter }: Stretch, row: number, cell: number): Html {
  const [x, y, width] = [pixel(LEFT + begin * cell), row * ROW, pixel(length * cell)];
  const at = html`x="${x}" y="${y}" width="${width}" height="${ROW}"`;
  const hatch = outcome === 'promote' ? null : html`<rect ${at} fill="url(#hatch-${outcome})"/>`;
  const label =
    width < 9 ? null : html`<text class="middle letter" x="${pixel(x + width / 2)}" y="${y + 15}">${letter}</text>`;
  return html`<rect ${at} class="cell ${outcome}"/>${hatch}${label}`;
}

/** Ties go to what is listed first. */
function mostFrequent({ outcomes }: Cell): Outcome {
  return OUTCOMES.reduce((best, outcome) => (outcomes[outcome] > outcomes[best] ? outcome : best));
}

function letterOf({ outcomes, flips }: Cell, outcome: Outcome): string {
  const all = OUTCOMES.reduce((sum, each) => sum + outcomes[each], 0);
  const letter = OUTCOME_LETTERS[outcome];
  return `${outcomes[outcome] === all ? letter : letter.toLowerCase()}${flips > 0 ? '*' : ''}`;
}

/** A line at the flip point, between the middles of the two cells around it. */
function flipLine(value: number, across: readonly number[], width: number, bottom: number): Html | null {
  const after = across.findIndex((other) => other > value);
  if (after < 1) return null;
  const [low = 0, high = 1] = across.slice(after - 1, after + 1);
  const x = pixel(LEFT + (after - 0.5 + (value - low) / (high - low)) * width);
  return html`<path class="marker flip" d="M${x} 0V${bottom + 4}"/>`;
}

function counted(cells: readonly Cell[]): string {
  const parts = OUTCOMES.map((outcome) => [outcome, cells.filter((c) => mostFrequent(c) === outcome).length] as const);
  const words = parts.filter(([, n]) => n > 0).map(([outcome, n]) => `${n} ${OUTCOME_WORDS[outcome]}`);
  return `${plural(cells.length, 'combination')}: ${words.join(', ')}`;
}

function cellTable({ axes, cells }: Sweep): Html {
  const shown = cells.slice(0, MOST_TABLE_ROWS);
  const which = shown.length < cells.length ? `the first ${shown.length} of ${cells.length}` : String(cells.length);
  const head = [...axes.map(({ path }) => path), ...OUTCOMES.map((o) => OUTCOME_WORDS[o]), 'flips'];
  const rows = shown.map(({ values, outcomes, flips }) => [...values, ...OUTCOMES.map((o) => outcomes[o]), flips]);
  return html`<details><summary>Numbers: sweep</summary>
${table(`Canaries by outcome, combinations: ${which}`, head, rows)}</details>`;
}
