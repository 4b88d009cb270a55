import { count, howSure, moment, objectiveLine, odds, percent, plural, seconds, why } from '../../explain/index.js';
import type { Verdict } from '../../judge/index.js';
import type { CanaryReplay, Difference, Side } from '../result.js';
import type { JudgedCourse, Run } from './course.js';
import { type Html, html, type Shown, table } from './html.js';
import type { Story } from './story.js';
import { badge, OUTCOME_WORDS } from './words.js';

const HEAD = ['', 'original', 'other policy'];
const NONE = '–';

/** Both verdicts side by side, where they part, and what that would have changed. */
export function verdicts(canary: CanaryReplay): Html {
  const { original, counterfactual, divergence, difference, startedAt } = canary;
  return html`${table('Verdicts side by side', HEAD, sideRows(original, counterfactual))}
${parting(divergence, startedAt)}
${difference === null ? null : html`<p><strong>Difference:</strong> ${differenceWords(difference)}.</p>`}
`;
}

function sideRows(original: Side, counterfactual: Side): Shown[][] {
  const both = (label: string, of: (side: Side) => Shown): Shown[] => [label, of(original), of(counterfactual)];
  const judged = (label: string, of: (verdict: Verdict) => Shown) =>
    both(label, ({ verdict }) => (verdict === null ? NONE : of(verdict)));
  const overridden = original.overridden === null ? [] : [both('by hand', (side) => side.overridden ?? NONE)];
  return [
    both('outcome', ({ outcome }) => badge(outcome)),
    both('why', ({ lacking, verdict }) => (lacking !== null ? `not known: ${lacking}` : verdict ? why(verdict) : NONE)),
    both('how sure', ({ lacking, verdict }) => (lacking === null && verdict ? howSure(verdict) : NONE)),
    ...overridden,
    judged('when', ({ elapsedSeconds, tick, at }) => `after ${seconds(elapsedSeconds)} (look ${tick}), ${moment(at)}`),
    ...verdictNumbers(original.verdict, counterfactual.verdict),
    judged('looks', ({ ticks }) => `${plural(ticks.looked, 'look')}, ${count(ticks.withData)} with data`),
    judged('window covered', ({ coverage }) => percent(coverage)),
    both('policy', ({ policy, policyDigest }) => html`${policy.name ?? 'no name'} <code>${policyDigest}</code>`),
  ];
}

/** Evidence and every objective of two verdicts, number beside number. */
function verdictNumbers(original: Verdict | null, other: Verdict | null): Shown[][] {
  const names = [...new Set([original, other].flatMap((verdict) => verdict?.objectives.map(({ name }) => name) ?? []))];
  const row = (label: string, of: (verdict: Verdict) => Shown): Shown[] => [
    label,
    original === null ? NONE : of(original),
    other === null ? NONE : of(other),
  ];
  return [
    row('bet against it', ({ evidence: { logE, logThreshold } }) => {
      const acts = count(Math.round(Math.exp(logThreshold)));
      return `${odds(logE)} (ln ${logE.toFixed(3)}); acts at ${acts}:1 (ln ${logThreshold.toFixed(3)})`;
    }),
    ...names.map((name) =>
      row(name, ({ objectives }) => {
        const lines = objectives.filter((o) => o.name === name).map((o) => withoutName(objectiveLine(o), name));
        return lines.length === 0 ? 'no limit' : lines.join('; ');
      }),
    ),
  ];
}

/** The row has the name already. */
function withoutName(line: string, name: string): string {
  return line.startsWith(`${name}: `) ? line.slice(name.length + 2) : line;
}

function parting(divergence: CanaryReplay['divergence'], startedAt: number): Html {
  if (divergence === null) return html`<p>The rulings never part.</p>`;
  const { tick, at, original, counterfactual } = divergence;
  const caption = `They part at look ${tick}, ${seconds(Math.max(0, at - startedAt) / 1000)} after the start`;
  const ruled = (verdict: Verdict) => `${rulingWords(verdict.decision)}: ${why(verdict)}`;
  const rows = [['ruling', ruled(original), ruled(counterfactual)], ...verdictNumbers(original, counterfactual)];
  return table(caption, HEAD, rows);
}

function rulingWords(decision: Verdict['decision']): string {
  return decision === 'continue' ? 'watched on' : OUTCOME_WORDS[decision];
}

function differenceWords({ seconds: s, requests, badRequests }: Difference): string {
  if (s === 0) return 'none in time';
  const time = s < 0 ? `${seconds(-s)} earlier` : `${seconds(s)} later`;
  if (requests === null) return `${time}; how many requests the canary served in between is not known`;
  const failed = badRequests === null ? 'how many of them failed is not known' : `${count(badRequests)} of them failed`;
  return `${time}; in between the canary served ${plural(requests, 'request')}, ${failed}`;
}

const MOST_RUNS = 20;

/** How the looks were ruled, under each policy. */
export function rulings({ original, counterfactual }: Story): Html {
  const side = (label: string, course: JudgedCourse | null) => (course?.runs ?? []).map((run) => ({ label, run }));
  const all = [
    ...side('original', original),
    ...side(original === null ? 'the policy' : 'other policy', counterfactual),
  ];
  if (all.length === 0) return html``;
  const left = all.length > MOST_RUNS ? `, the last ${MOST_RUNS} of ${all.length}` : '';
  const rows = all.slice(-MOST_RUNS).map(({ label, run }) => [label, looksOf(run), ...runWords(run)]);
  return html`<details><summary>Rulings over time</summary>
${table(`Rulings over time${left}`, ['policy', 'looks', 'ruling', 'reason', 'by'], rows)}</details>
`;
}

function looksOf({ fromTick, toTick }: Run): string {
  return fromTick === toTick ? String(fromTick) : `${fromTick} to ${toTick}`;
}

function runWords({ decision, reason, decidedBy }: Run): string[] {
  return [rulingWords(decision), reason.replaceAll('_', ' '), decidedBy ?? NONE];
}
