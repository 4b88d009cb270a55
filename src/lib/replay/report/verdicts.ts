import { count, howSure, moment, objectiveLine, odds, percent, plural, seconds, why } from '../../explain/index.js';
import type { Verdict } from '../../judge/index.js';
import type { CanaryReplay, Difference, Side } from '../result.js';
import type { JudgedCourse, Run } from './course.js';
import { type Html, html, type Shown, table } from './html.js';
import type { Story } from './story.js';
import { badge, OUTCOME_WORDS } from './words.js';

const HEAD = ['', 'original', 'other policy'];
const NONE = '–';

/** Both verdicts side by side, where they diverge, and what that would have changed. */
export function verdicts(canary: CanaryReplay): Html {
  const { original, counterfactual, divergence, difference, startedAt } = canary;
  return html`${table('Verdicts side by side', HEAD, sideRows(original, counterfactual))}
${divergenceTable(divergence, startedAt)}
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
    both('why', ({ lacking, verdict }) => (lacking !== null ? `unknown: ${lacking}` : verdict ? why(verdict) : NONE)),
    both('certainty', ({ lacking, verdict }) => (lacking === null && verdict ? howSure(verdict) : NONE)),
    ...overridden,
    judged('when', ({ elapsedSeconds, tick, at }) => `after ${seconds(elapsedSeconds)} (check ${tick}), ${moment(at)}`),
    ...verdictNumbers(original.verdict, counterfactual.verdict),
    judged('checks', ({ ticks }) => `${plural(ticks.looked, 'check')}, ${count(ticks.withData)} with data`),
    judged('window covered', ({ coverage }) => percent(coverage)),
    both('policy', ({ policy, policyDigest }) => html`${policy.name ?? 'unnamed'} <code>${policyDigest}</code>`),
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
    row('evidence against it', ({ evidence: { logE, logThreshold } }) => {
      const logarithms = `natural logarithms ${logE.toFixed(3)} and ${logThreshold.toFixed(3)}`;
      return `${odds(logE)}, rolls back at ${odds(logThreshold)} (${logarithms})`;
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

function divergenceTable(divergence: CanaryReplay['divergence'], startedAt: number): Html {
  if (divergence === null) return html`<p>The decisions never diverge.</p>`;
  const { tick, at, original, counterfactual } = divergence;
  const caption = `Divergence at check ${tick}, ${seconds(Math.max(0, at - startedAt) / 1000)} after the start`;
  const ruled = (verdict: Verdict) => `${decisionWords(verdict.decision)}: ${why(verdict)}`;
  const rows = [['decision', ruled(original), ruled(counterfactual)], ...verdictNumbers(original, counterfactual)];
  return table(caption, HEAD, rows);
}

function decisionWords(decision: Verdict['decision']): string {
  return decision === 'continue' ? 'no decision yet' : OUTCOME_WORDS[decision];
}

function differenceWords({ seconds: s, requests, badRequests }: Difference): string {
  if (s === 0) return 'decided at the same time';
  const time = s < 0 ? `${seconds(-s)} earlier` : `${seconds(s)} later`;
  if (requests === null) return `${time}; the number of requests in between is unknown`;
  const failed = badRequests === null ? 'the number of failures is unknown' : `${count(badRequests)} of them failed`;
  return `${time}; ${plural(requests, 'request')} in between, ${failed}`;
}

const MOST_RUNS = 20;

/** The decision at each check, under each policy. */
export function decisionsOverTime({ original, counterfactual }: Story): Html {
  const side = (label: string, course: JudgedCourse | null) => (course?.runs ?? []).map((run) => ({ label, run }));
  const all = [
    ...side('original', original),
    ...side(original === null ? 'the policy' : 'other policy', counterfactual),
  ];
  if (all.length === 0) return html``;
  const left = all.length > MOST_RUNS ? `, the last ${MOST_RUNS} of ${all.length}` : '';
  const rows = all.slice(-MOST_RUNS).map(({ label, run }) => [label, checksOf(run), ...runWords(run)]);
  return html`<details><summary>Decisions over time</summary>
${table(`Decisions over time${left}`, ['policy', 'checks', 'decision', 'reason', 'by'], rows)}</details>
`;
}

function checksOf({ fromTick, toTick }: Run): string {
  return fromTick === toTick ? String(fromTick) : `${fromTick} to ${toTick}`;
}

function runWords({ decision, reason, decidedBy }: Run): string[] {
  return [decisionWords(decision), reason.replaceAll('_', ' '), decidedBy ?? NONE];
}
