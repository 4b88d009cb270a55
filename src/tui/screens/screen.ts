import type { CanaryRow } from '../../lib/view/index.js';
import { BLANK, clipped, ends, type Line, line, span, wrapped } from '../draw/line.js';
import { DEEDS, type Typing } from '../watch/page.js';
import type { Session } from '../watch/session.js';
import { canaryLines, headLines, type Shown } from './canary.js';
import { headerLines, helpLines, keysLine, SMALLEST, type Standing, tooSmall } from './frame.js';
import { jobLines } from './job.js';
import { listWindow } from './list.js';
import { mathLines, narrativeLines } from './why.js';

export interface Size {
  columns: number;
  rows: number;
}

/**
 * The whole screen, one row less than the terminal has: a taller one would scroll. Tells the session how much of it there
 * was room for.
 */
export function screenLines(session: Session, { columns, rows }: Size): Line[] {
  if (columns < SMALLEST.columns || rows < SMALLEST.rows) return [tooSmall(columns, rows)];
  const header = headerLines(
    session.watching.place,
    session.watching.overview,
    standingOf(session),
    columns,
    session.filter,
  );
  const footer = footerLines(session, columns);
  const height = rows - 1 - header.length - footer.length;
  session.height = height;
  const body = bodyLines(session, columns, height).slice(0, height);
  while (body.length < height) body.push(BLANK);
  return [...header, ...body, ...footer].map((one) => clipped(one, columns));
}

function standingOf({ watching, eventAt, ...session }: Session): Standing {
  const { state, heardAt, problem } = watching.connection;
  const now = session.options.clock.monotonic();
  return {
    state,
    problem,
    heardAgo: heardAt === null ? null : now - heardAt,
    eventAgo: eventAt === null ? null : now - eventAt,
  };
}

function footerLines(session: Session, width: number): Line[] {
  const { typing, message, page } = session;
  if (typing !== null) return typingLines(typing, session, width);
  const keys = keysLine(page.kind, width);
  return message === null ? [keys] : [...wrapped(message.text, width, { tone: message.tone }).slice(0, 3), keys];
}

function typingLines(typing: Typing, session: Session, width: number): Line[] {
  const cursor = span(' ', { inverse: true });
  if (typing.kind === 'filter')
    return [
      field([span('/', { bold: true })], typing.text, cursor, width),
      clipped(line(`Enter keep  Esc show all  ${session.rows().length} shown`, { tone: 'quiet' }), width),
    ];
  const { verb, effect } = DEEDS[typing.deed];
  const model = session.watching.overview.canaries.get(typing.id)?.modelId;
  return [
    clipped(
      [
        span(`${verb} ${typing.id}${model === undefined ? '' : ` (${model})`}?`, { bold: true, tone: 'warn' }),
        span(`  ${effect}`, { tone: 'quiet' }),
      ],
      width,
    ),
    field([span('Reason: ')], typing.text, cursor, width),
    clipped(
      typing.problem === null
        ? [
            span('Enter', { bold: true }),
            span(` ${verb.toLowerCase()}  `, { tone: 'quiet' }),
            span('Esc', { bold: true }),
            span(' cancel', { tone: 'quiet' }),
          ]
        : line(typing.problem, { tone: 'bad' }),
      width,
    ),
  ];
}

/** What is typed, its end always in sight. */
function field(label: Line, text: string, cursor: Line[number], width: number): Line {
  let tail = span(text).text;
  const room = width - label.reduce((sum, part) => sum + part.text.length, 0) - 1;
  const graphemes = [...tail];
  while (clipped([{ text: tail }], room)[0]?.text !== tail && graphemes.length > 0) {
    graphemes.shift();
    tail = graphemes.join('');
  }
  return [...label, { text: tail }, cursor];
}

function bodyLines(session: Session, width: number, height: number): Line[] {
  if (session.help) return helpLines(width);
  const { page } = session;
  if (page.kind === 'list') return listLines(session, width, height);
  if (page.kind === 'job') {
    const job = session.watching.overview.jobs.get(page.id);
    return job === undefined ? [line(`job ${page.id} is not listed any more`, { tone: 'warn' })] : jobLines(job, width);
  }
  return scrolled(session, page.top, canaryPage(session, page, width, height), width, height);
}

function listLines(session: Session, width: number, height: number): Line[] {
  const rows = session.rows();
  if (rows.length === 0) return emptyLines(session, width);
  const selected = session.selectedIndex(rows);
  const { lines, first, end } = listWindow(rows, {
    selected,
    first: session.first,
    width,
    height: height - 1,
    now: session.now(),
  });
  session.first = first;
  const isAll = first === 0 && end >= rows.length;
  const place = isAll ? '' : `${first + 1} to ${Math.min(end, rows.length)} of ${rows.length}`;
  const body = lines;
  while (body.length < height - 1) body.push(BLANK);
  return [...body, ends([], [span(place, { tone: 'quiet' })], width)];
}

function emptyLines(session: Session, width: number): Line[] {
  const { connection, overview } = session.watching;
  const text =
    session.filter !== ''
      ? 'Nothing fits the filter. Esc shows all.'
      : connection.state === 'connecting'
        ? 'Loading…'
        : 'No canaries yet. Start one: lukhas canary start, or see one: lukhas demo';
  return [
    BLANK,
    ...wrapped(text, width, { tone: 'quiet' }, '  '),
    ...(overview.warning === null ? [] : wrapped(overview.warning, width, { tone: 'warn' }, '  ')),
  ];
}

type CanaryPage = Extract<Session['page'], { kind: 'canary' }>;

/** A row of a list, with what only the record tells where the list has not read the checks. */
function newestOf(row: CanaryRow, read: CanaryRow): CanaryRow {
  return { ...row, glance: row.glance ?? read.glance, checkedAt: row.checkedAt ?? read.checkedAt };
}

function canaryPage(session: Session, page: CanaryPage, width: number, height: number): Line[] {
  const { drawn, problem } = session.records;
  if (drawn === null)
    return problem === null
      ? [line(`Loading ${page.id}…`, { tone: 'quiet' })]
      : wrapped(problem, width, { tone: 'bad' });
  const { view, course, record } = drawn;
  // The newest row may be ahead of the record.
  const row = session.watching.overview.canaries.get(page.id);
  const shown: Shown = {
    view: row === undefined ? view : { ...view, row: newestOf(row, view.row) },
    gate: record.gate,
    checks: record.observations.length,
    course,
    width,
    rows: height < 16 ? 5 : height < 40 ? 7 : 9,
    now: session.now(),
  };
  const failed: Line[] = problem === null ? [] : wrapped(`not read again: ${problem}`, width, { tone: 'bad' });
  if (page.part === 'why') return [...failed, ...headLines(shown), BLANK, ...narrativeLines(view.narrative, width)];
  if (page.part === 'math') return [...failed, ...headLines(shown), BLANK, ...mathLines(view.math, width)];
  return [...failed, ...canaryLines(shown)];
}

function scrolled(session: Session, wanted: number, all: Line[], width: number, height: number): Line[] {
  const last = Math.max(0, all.length - (height - 1));
  const top = Math.min(wanted, last);
  session.top = top;
  if (last === 0) return all;
  const lines = all.slice(top, top + height - 1);
  while (lines.length < height - 1) lines.push(BLANK);
  const place = top === 0 ? `more below: j, PgDn` : top === last ? 'end' : `${Math.round((top / last) * 100)}%`;
  return [...lines, ends([], [span(place, { tone: 'quiet' })], width)];
}
