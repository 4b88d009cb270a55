import { timestamp } from '../../clock.js';
import { count, plural, seconds } from '../../explain/index.js';
import type { CanaryReplay, PastRead, ReplayResult } from '../result.js';
import { type Html, html, type Shown, table } from './html.js';
import { badge, OUTCOME_WORDS, OUTCOMES, setting } from './words.js';

const MOST_LISTED = 500;

/** The request, and what it was verified against. */
export function provenance({ judge, from, to, modelId, policyName, log, read, canaries }: ReplayResult): Html {
  const observations = canaries.reduce((sum, canary) => sum + canary.observations.count, 0);
  const facts: [string, Shown][] = [
    ['replayed under', policyName],
    ['canaries started at or after', from ?? 'no limit'],
    ['canaries started before', to ?? 'no limit'],
    ['model', modelId ?? 'any'],
    ['observations replayed', count(observations)],
    ['judge', `version ${judge}`],
    ...(read === null ? [] : readFacts(read)),
    ['log', log === null ? 'none: no log to verify against' : `verified, ${count(log.size)} entries`],
    ...(log === null ? [] : [['log root', html`<code>${log.root}</code>`] satisfies [string, Shown]]),
  ];
  return html`<section aria-labelledby="about"><h2 id="about">What was replayed</h2>
<dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl></section>
`;
}

function readFacts({ looks, intervalSeconds, spacingSeconds, series, samples, ...read }: PastRead): [string, Shown][] {
  const { selectors, expressions, notes } = read;
  const spacing = spacingSeconds === null ? '' : `, usually one every ${seconds(spacingSeconds)}`;
  return [
    [
      'read from Prometheus',
      `${plural(looks, 'check')} ${seconds(intervalSeconds)} apart, ${plural(samples, 'sample')} of ${count(series)} series${spacing}; no canary ran then`,
    ],
    ...[...selectors, ...expressions].map((query): [string, Shown] => ['query', html`<code>${query}</code>`]),
    ...notes.map((note): [string, Shown] => ['note', note]),
  ];
}

export function policyDifferences({ policyDiff }: ReplayResult): Html {
  const rows = policyDiff.map(({ path, original, counterfactual }) => [
    html`<code>${path}</code>`,
    setting(original),
    setting(counterfactual),
  ]);
  const body =
    rows.length === 0
      ? html`<p>The policy is the same as the one recorded with the canaries.</p>`
      : table('Keys that differ, one line for each pair of values', ['key', 'original', 'other policy'], rows);
  return html`<section aria-labelledby="policies"><h2 id="policies">Policies</h2>
${body}</section>
`;
}

/** Totals over all canaries, then one line a canary. */
export function overview(result: ReplayResult, anchors: ReadonlyMap<CanaryReplay, string>): Html {
  const { totals, canaries } = result;
  const sums = (['original', 'counterfactual'] as const).map((side) => [
    side === 'original' ? 'original' : 'other policy',
    ...OUTCOMES.map((outcome) => count(totals[side][outcome])),
  ]);
  const listed = canaries.slice(0, MOST_LISTED);
  const which = listed.length < canaries.length ? `the first ${listed.length} of ${canaries.length}` : 'all';
  const rows = listed.map((canary) => [
    named(canary, anchors.get(canary)),
    `${canary.modelId}: ${canary.fromGate} → ${canary.toGate}`,
    html`<span class="whole">${timestamp(canary.startedAt)}</span>`,
    badge(canary.original.outcome),
    badge(canary.counterfactual.outcome),
    flipWords(canary),
  ]);
  const head = ['canary', 'model and gates', 'started', 'original', 'other policy', 'flips'];
  return html`<section aria-labelledby="totals"><h2 id="totals">Totals</h2>
<p class="answer"><strong>${flipSentence(result)}</strong></p>
${table('Outcomes', ['', ...OUTCOMES.map((outcome) => OUTCOME_WORDS[outcome])], sums)}
${canaries.length > 1 ? table(`Canaries: ${which}`, head, rows) : null}</section>
`;
}

function named({ canaryId }: CanaryReplay, anchor: string | undefined): Shown {
  return anchor === undefined ? canaryId : html`<a class="whole" href="#${anchor}">${canaryId}</a>`;
}

export function flipWords({ flips }: CanaryReplay): string {
  return flips === null ? 'unknown' : flips ? 'flips' : 'same';
}

function flipSentence({ totals: { flips, insufficient }, canaries }: ReplayResult): string {
  const of = canaries.length === 1 ? '1 decision' : `${count(canaries.length)} decisions`;
  const open = insufficient === 0 ? '' : `; ${count(insufficient)} cannot be determined from the records`;
  return `${count(flips)} of ${of} would change${open}.`;
}
