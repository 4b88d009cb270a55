import { plural, moment as time } from '../../lib/explain/index.js';
import { type CanaryRow, type CanaryView, fragmentOf, type ObjectiveView } from '../../lib/view/index.js';
import type { Fetched } from '../ask.js';
import { type Children, h, lines } from '../dom.js';
import { stateBadge } from '../marks.js';
import { table } from '../table.js';
import { boundsText } from './why.js';

type Section = (view: CanaryView, fetched: Fetched, actions: (view: CanaryView) => HTMLElement | null) => Children;

export type SectionName =
  | 'title'
  | 'state'
  | 'sure'
  | 'intact'
  | 'summary'
  | 'actions'
  | 'objectives'
  | 'gate'
  | 'hooks'
  | 'approvals'
  | 'recorded';

/** What each place of the page shows. */
export const SECTIONS: Readonly<Record<SectionName, Section>> = {
  title: ({ row, canary }) => [
    h('p', { class: 'crumbs' }, h('a', { href: '#/' }, 'Canaries'), ' / ', canary.id),
    h('h1', {}, `${row.modelId}: ${row.fromGate} → ${row.toGate}`),
  ],
  state: ({ row }) => [stateBadge(row), row.dryRun && ' dry run'],
  sure: (view) => [h('span', { class: 'quiet' }, sure(view))],
  intact: (view, fetched) => [intactLine(view, fetched)],
  summary: ({ summary }) => [
    summary.length > 0 && lines(summary.join('\n'), { class: 'summary', role: 'region', 'aria-label': 'summary' }),
  ],
  actions: (view, _, actions) => [actions(view)],
  objectives: ({ objectives }) => [
    h('h2', {}, 'Objectives'),
    objectives.length === 0
      ? h('p', { class: 'quiet' }, 'Waiting for the first check.')
      : objectives.map(objectiveCard),
  ],
  gate: (view, fetched) => [gateHistory(view, fetched)],
  hooks: (view) => [hooks(view)],
  approvals: (view) => [approvals(view.row, view)],
  recorded: ({ narrative }, { record }) => [
    h(
      'p',
      { class: 'quiet' },
      `Recorded: ${plural(record.events.length, 'entry', 'entries')}, ${plural(record.observations.length, 'check')}; ${narrative.title}. `,
      h('a', { href: fragmentOf({ kind: 'entries', filter: { about: record.id } }) }, 'Its entries in the log'),
    ),
  ],
};

function sure({ verdict, meter }: CanaryView): string {
  if (verdict === null) return 'not judged yet';
  return `${verdict.certainty}; evidence against it: ${meter?.text ?? 'none'}`;
}

function intactLine({ intact, canary }: CanaryView, { record }: Fetched): HTMLElement | null {
  if (canary.observations === null) return null;
  const checks = record.observations.length;
  if (checks === 0) return h('p', { class: 'quiet' }, 'The recorded checks were pruned: they are no longer kept.');
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
        `✓ The ${checks} recorded checks are those that were judged (SHA-256 ${canary.observations.digest.slice(0, 16)}…).`,
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
    ['Headroom', cell.headroom === null ? null : cell.headroom <= 0 ? 'none' : `${Math.round(cell.headroom * 100)}%`],
    ['Made of', plural(cell.n, report.type === 'reading' ? 'reading' : report.type === 'drift' ? 'score' : 'request')],
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
