import { seconds } from '../../lib/explain/index.js';
import { type CanaryRow, isOpenRow, type Overview } from '../../lib/view/index.js';
import { clipped, ends, flowed, type Line, line, type Span, span, wrapped } from '../draw/line.js';

/** How what is shown stands to what happens; ages in ms. */
export interface Standing {
  state: 'connecting' | 'live' | 'stale' | 'refused';
  problem: string | null;
  /** Since something was heard, of whatever kind; null: never. */
  heardAgo: number | null;
  /** Since an event came; null: none yet. */
  eventAgo: number | null;
}

/** Below this nothing is drawn but a line that says so. */
export const SMALLEST = { columns: 40, rows: 10 };

export function tooSmall(columns: number, rows: number): Line {
  const text = `lukhas watch needs ${SMALLEST.columns} columns and ${SMALLEST.rows} rows; here are ${columns} x ${rows}. q: quit`;
  return clipped(line(text), Math.max(1, columns));
}

/** Of what, and how fresh. What is stale says so in words, over the whole row. */
export function headerLines(
  place: string,
  overview: Overview,
  standing: Standing,
  width: number,
  filter: string,
): Line[] {
  const title: Line = [span('lukhas watch', { bold: true }), span(`  ${place}`, { tone: 'quiet' })];
  const counts = countsText(overview, filter);
  if (standing.state === 'live')
    return [ends(title, [liveSpan(standing)], width), clipped(line(counts, { tone: 'quiet' }), width)];
  return [
    clipped(
      [
        span(problemText(standing), {
          tone: standing.state === 'connecting' ? 'warn' : 'bad',
          bold: true,
          inverse: true,
        }),
      ],
      width,
    ),
    ends(title, [span(counts, { tone: 'quiet' })], width),
  ];
}

function liveSpan({ eventAgo }: Standing): Span {
  return span(`● live${eventAgo === null ? '' : ` · last event ${ago(eventAgo)} ago`}`, { tone: 'good' });
}

function problemText({ state, problem, heardAgo }: Standing): string {
  const why = problem === null ? '' : `: ${problem}`;
  if (state === 'connecting') return ` CONNECTING${why} `;
  if (state === 'refused') return ` REFUSED${why} `;
  return ` ! STALE: nothing heard for ${heardAgo === null ? 'a while' : ago(heardAgo)}${why} `;
}

/** Coarser the longer it is, so that it is not drawn again each second. */
export function ago(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  return s < 3600 ? `${Math.floor(s / 60)} min` : seconds(Math.floor(s / 3600) * 3600);
}

function countsText({ canaries, jobs, gates, older }: Overview, filter: string): string {
  const rows: CanaryRow[] = [...canaries.values()];
  const open = rows.filter(isOpenRow).length;
  const awaiting = rows.filter(({ approval }) => approval?.state === 'awaiting').length;
  const all = rows.length + older.canaries;
  const parts = [
    `${open} open`,
    ...(awaiting > 0 ? [`${awaiting} to approve`] : []),
    `${all} ${all === 1 ? 'canary' : 'canaries'}${older.canaries > 0 ? ` (newest ${rows.length} listed)` : ''}`,
    ...(jobs.size > 0 ? [`${jobs.size + older.jobs} ${jobs.size + older.jobs === 1 ? 'job' : 'jobs'}`] : []),
    ...(gates.size > 0 ? [`${gates.size} ${gates.size === 1 ? 'gate' : 'gates'}`] : []),
  ];
  return `${parts.join(' · ')}${filter === '' ? '' : `   filter: ${filter}`}`;
}

const LIST_KEYS = [
  'j/k move',
  'Enter open',
  '/ filter',
  'w why',
  'm maths',
  'a abort',
  'p promote',
  'y approve',
  'e export',
  '? help',
  'q quit',
];
const ONE_KEYS = [
  'j/k scroll',
  'Esc back',
  'w why',
  'm maths',
  'a abort',
  'p promote',
  'y approve',
  'n reject',
  'e export',
  '? help',
  'q quit',
];
const JOB_KEYS = ['Esc back', '? help', 'q quit'];
/** Shown last, and never left out. */
const ALWAYS = 2;

/** Keys on one line: as many as fit, with help and quit. */
export function keysLine(page: 'list' | 'canary' | 'job', width: number): Line {
  const all = page === 'list' ? LIST_KEYS : page === 'canary' ? ONE_KEYS : JOB_KEYS;
  const shown = all.slice(-ALWAYS);
  for (const key of all.slice(0, -ALWAYS)) {
    if ([...shown, key].join('  ').length > width) break;
    shown.splice(-ALWAYS, 0, key);
  }
  const spans = shown.flatMap((key, i): Span[] => {
    const [name = '', ...what] = key.split(' ');
    return [span(`${i === 0 ? '' : '  '}${name}`, { bold: true }), span(` ${what.join(' ')}`, { tone: 'quiet' })];
  });
  return clipped(spans, width);
}

const HELP: readonly (readonly [string, string])[] = [
  ['j k ↓ ↑', 'next, previous row; scroll'],
  ['PgDn PgUp', 'a page (also Ctrl-F, Ctrl-B, Space)'],
  ['g G', 'first, last (also Home, End)'],
  ['Enter Esc', 'open one; back'],
  ['/', 'filter by model, gate, state, id or reason; an empty filter shows all'],
  ['w', 'why: what happened, in words'],
  ['m', 'maths: the numbers, and what the judge asked'],
  ['a', 'abort the canary; wants a reason, which is recorded'],
  ['p', 'promote a BLOCKED canary by hand; wants a reason, which is recorded'],
  ['y n', 'approve, reject a promotion that waits for it; wants a reason'],
  ['e', 'export its evidence pack'],
  ['?', 'this help'],
  ['q Ctrl-C', 'quit; canaries go on'],
];

export function helpLines(width: number): Line[] {
  return [
    [span('Keys', { bold: true })],
    ...HELP.flatMap(([keys, what]) => wrapped(what, width, {}, `  ${keys.padEnd(12)}`, ' '.repeat(14))),
    [],
    ...flowed(
      [line('│ in a bar: the limit'), line('▂▅█ newest checks; red: beyond the limit'), line('░ in a chart: no data')],
      3,
      width,
    ),
  ];
}
