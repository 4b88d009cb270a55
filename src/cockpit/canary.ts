import { moment as time } from '../lib/explain/index.js';
import {
  amount,
  type CanaryRow,
  type CanaryView,
  canaryView,
  courseOf,
  fragmentOf,
  type ObjectiveView,
  timeLeft,
} from '../lib/view/index.js';
import { type Fetched, fetchCanary, Refused } from './ask.js';
import { evidenceFigure, seriesFigure } from './chart.js';
import { button, h, lines, replace } from './dom.js';
import { stateBadge } from './marks.js';
import { table } from './table.js';
import { whatIf } from './what-if.js';

/** One canary: what it is, how sure, how long still; then everything else. */
export class CanaryPage {
  readonly element = h('div', {}, h('p', { role: 'status' }, 'Loading…'));
  #fetched: Fetched | null = null;
  #view: CanaryView | null = null;
  #time: HTMLElement | null = null;
  #asking = false;
  #again = false;

  constructor(
    readonly id: string,
    private readonly now: () => number,
    private readonly actions: (view: CanaryView) => HTMLElement | null,
  ) {}

  /** Reads what is new. Calls that come meanwhile make it read once more. */
  async refresh(): Promise<void> {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    try {
      do {
        this.#again = false;
        this.#fetched = await fetchCanary(this.id, this.#fetched);
        this.#draw(this.#fetched);
      } while (this.#again);
    } catch (error) {
      if (this.#view === null) replace(this.element, ...failure(error));
    } finally {
      this.#asking = false;
    }
  }

  /** What changes with time alone. */
  tick(): void {
    if (this.#view !== null && this.#time !== null) this.#time.textContent = timeLeft(this.#view.row, this.now());
  }

  #draw(fetched: Fetched): void {
    const view = canaryView(fetched.record);
    if (view === null) return;
    const opened = new Set(
      [...this.element.querySelectorAll('details[open]')].map(
        (details) => details.querySelector('summary')?.textContent ?? '',
      ),
    );
    const focused = document.activeElement?.id ?? '';
    const keep =
      this.#view?.verdict !== null && view.canary.verdict !== null ? this.element.querySelector('.what-if') : null;
    this.#view = view;
    const { row, canary, markers, objectives, narrative } = view;
    const { observations } = fetched.record;
    const course = canary.startedAt === null ? null : courseOf(canary.policy, canary.startedAt, observations);
    this.#time = h('span', { class: 'time' }, timeLeft(row, this.now()));
    const frame = {
      from: canary.startedAt ?? row.createdAt ?? 0,
      to: Math.max(row.endsAt ?? 0, course?.evidence.at(-1)?.t ?? 0),
    };
    replace(
      this.element,
      h('p', { class: 'crumbs' }, h('a', { href: '#/' }, 'Canaries'), ' / ', canary.id),
      h('h1', {}, `${row.modelId}: ${row.fromGate} → ${row.toGate}`),
      h(
        'p',
        { class: 'top' },
        stateBadge(row),
        row.dryRun && ' dry run',
        ' ',
        this.#time,
        ' ',
        h('span', { class: 'quiet' }, sure(view)),
      ),
      intactLine(view, fetched),
      view.summary.length > 0 &&
        lines(view.summary.join('\n'), { class: 'summary', role: 'region', 'aria-label': 'summary' }),
      this.actions(view),
      h('h2', {}, 'Objectives'),
      objectives.length === 0
        ? h('p', { class: 'quiet' }, 'Waiting for the first check.')
        : objectives.map(objectiveCard),
      course !== null &&
        course.evidence.length > 0 && [
          h('h2', {}, 'Over time'),
          evidenceFigure(course, markers, frame),
          ...course.series.map((series) => seriesFigure(series, markers, frame)),
        ],
      whyDrawer(view),
      keep ??
        (canary.startedAt !== null && observations.length > 1 && whatIf(canary.policy, canary.startedAt, observations)),
      gateHistory(view, fetched),
      hooks(view),
      approvals(row, view),
      h(
        'p',
        { class: 'quiet' },
        `Recorded: ${fetched.record.events.length} entries, ${fetched.record.observations.length} checks; ${narrative.title}`,
      ),
    );
    for (const details of this.element.querySelectorAll('details'))
      if (opened.has(details.querySelector('summary')?.textContent ?? '')) details.open = true;
    if (focused !== '') document.getElementById(focused)?.focus();
  }
}

function sure({ verdict, meter }: CanaryView): string {
  if (verdict === null) return 'not judged yet';
  return `${verdict.certainty}; evidence against it: ${meter?.text ?? 'none'}`;
}

function intactLine({ intact, canary }: CanaryView, { record }: Fetched): HTMLElement | null {
  if (canary.observations === null) return null;
  const count = record.observations.length;
  if (count === 0) return h('p', { class: 'quiet' }, 'The recorded checks were pruned: they are no longer kept.');
  if (intact === null)
    return h(
      'p',
      { class: 'quiet' },
      'The digest of the recorded checks was not computed: this page was not opened over HTTPS or on this machine.',
    );
  return intact
    ? h(
        'p',
        { class: 'good' },
        `✓ The ${count} recorded checks are those that were judged (SHA-256 ${canary.observations.digest.slice(0, 16)}…).`,
      )
    : h(
        'p',
        { class: 'bad', role: 'alert' },
        '✗ The recorded checks are not those that were judged. Run lukhas verify.',
      );
}

function objectiveCard({ cell, report, toCertain }: ObjectiveView): HTMLElement {
  const bounds = boundsText(report);
  const facts: [string, string | null][] = [
    ['Value', cell.value ?? cell.missing],
    ['Limit', cell.limit],
    ['Headroom', cell.headroom === null ? null : `${Math.round(cell.headroom * 100)}%`],
    [
      'Made of',
      `${cell.n} ${report.type === 'reading' ? 'readings' : report.type === 'drift' ? 'scores' : 'requests'}`,
    ],
    ['Bounds', bounds],
    ['To a rollback', toCertain.against],
    ['To a promotion', toCertain.met],
  ];
  return h(
    'section',
    { class: `card ${cell.tone}` },
    h('h3', {}, `${cell.mark} ${cell.name}`, cell.reportOnly && ' (report only)'),
    h(
      'dl',
      {},
      facts.map(([name, value]) => value !== null && h('div', {}, h('dt', {}, name), h('dd', {}, value))),
    ),
  );
}

/** Where the value is, with the promised error. */
function boundsText(report: ObjectiveView['report']): string | null {
  if (report.type === 'reading' || report.bounds === null || (report.type === 'rate' && report.relative)) return null;
  const { lower, upper } = report.bounds;
  if (report.type === 'drift') return `${amount(lower, 'psi')} to ${amount(upper, 'psi')}`;
  const what = report.signal === 'errors' ? '' : ' above the limit';
  return `${amount(lower, 'share')} to ${amount(upper, 'share')}${what}`;
}

/** The story in words, and the numbers. */
function whyDrawer({ narrative, math }: CanaryView): HTMLElement {
  return h(
    'section',
    { class: 'why' },
    h('h2', {}, 'Why'),
    narrative.sections.flatMap(({ heading, kind, sentences }) => [
      h('h3', {}, heading),
      kind === 'list'
        ? h(
            'ul',
            {},
            sentences.map((sentence) => h('li', {}, sentence)),
          )
        : h('p', {}, sentences.join(' ')),
    ]),
    h(
      'details',
      {},
      h('summary', {}, 'The numbers'),
      table(
        'questions of the judge',
        ['Question', 'Value', 'Limit', 'Answer'],
        math.logic.map(({ question, value, limit, answer }) => [
          question,
          String(value ?? ''),
          String(limit ?? ''),
          answer ? 'yes' : 'no',
        ]),
      ),
      h(
        'ul',
        {},
        math.evidence.map(({ name, says }) => h('li', {}, `${name}: ${says}`)),
      ),
      lines(JSON.stringify(math, null, 2), { class: 'json', role: 'region', 'aria-label': 'all numbers' }),
    ),
  );
}

function gateHistory({ canary }: CanaryView, { record }: Fetched): HTMLElement {
  const rows = record.gate.map(({ ts, modelId, previous, by, canaryId }) => [
    time(Date.parse(ts)),
    modelId,
    previous ?? 'nobody',
    by.who,
    canaryId === null ? '' : h('a', { href: fragmentOf({ kind: 'canary', name: canaryId }) }, canaryId),
  ]);
  return h(
    'section',
    {},
    h('h2', {}, `Gate ${canary.toGate}`),
    rows.length === 0
      ? h('p', { class: 'quiet' }, 'This canary has not changed it.')
      : table('gate history', ['Time', 'Model', 'Before', 'By', 'Canary'], rows),
  );
}

function hooks({ facts }: CanaryView): HTMLElement | null {
  if (facts.calls.length === 0) return null;
  const rows = facts.calls.map(({ action, hook, attempt, finished }) => [
    action,
    hook,
    String(attempt),
    finished === null ? 'not finished' : finished.data.ok ? '✓ ok' : `✗ ${finished.data.detail}`,
  ]);
  return h('section', {}, h('h2', {}, 'Hooks'), table('hooks', ['Action', 'Hook', 'Attempt', 'Result'], rows));
}

function approvals({ approval }: CanaryRow, { facts }: CanaryView): HTMLElement | null {
  const said = [
    ...facts.approvals.map((e) => ['approved', e] as const),
    ...(facts.rejected === null ? [] : [['rejected', facts.rejected] as const]),
  ];
  if (approval === null && said.length === 0) return null;
  return h(
    'section',
    {},
    h('h2', {}, 'Approvals'),
    approval !== null && h('p', {}, `${approval.given} of ${approval.required} given; ${approval.state}`),
    said.length > 0 &&
      table(
        'approvals',
        ['Time', 'What', 'By', 'Reason'],
        said.map(([what, e]) => [time(Date.parse(e.ts)), what, e.data.by.who, e.data.reason]),
      ),
  );
}

export function failure(error: unknown): HTMLElement[] {
  const message = error instanceof Refused ? error.message : 'The daemon does not answer. Is lukhas serve running?';
  return [
    h('h1', {}, 'Not shown'),
    h('p', { class: 'bad', role: 'alert' }, message),
    h(
      'p',
      {},
      button('Try again', () => location.reload()),
    ),
  ];
}
