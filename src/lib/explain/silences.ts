import type { SilentSpan, Verdict } from '../judge/index.js';
import type { Blocked } from './undecided.js';
import { clip, count, percent, plural, seconds, timeOn } from './words.js';

/**
 * What was silent when: the words for checks that nobody answered, processes that restarted, and ends without requests.
 * Pure.
 */

/** `the canary did not answer 12 of 120 checks (10%, limit 5%)`. */
export function unavailable(v: Verdict): Blocked {
  const found = v.silence?.availability;
  const span = longest(v, 'unanswered');
  const numbers = found
    ? `${count(found.down)} of ${plural(found.expected, 'check')} (${percent(found.share ?? 0)}, limit ${percent(found.limit)})`
    : 'too many checks';
  const alone = (found?.whileBaselineAnswered ?? 0) > 0 ? ' while the baseline did' : '';
  if (found && found.expected > 0 && found.down === found.expected) return neverAnswered(v, found.down);
  return {
    cause: `the canary did not answer ${numbers}${alone}${span ? `: ${clip(span.why, 120)}` : ''}`,
    remedies: [
      'Find out why the canary stopped answering (a crash, its port, the network to it), then start it again.',
      'If a service like it may be silent that long, raise targets.max_unavailable.',
    ],
  };
}

/** `the canary never answered: 19 of 19 checks, while the baseline did`. */
function neverAnswered(v: Verdict, checks: number): Blocked {
  const span = longest(v, 'unanswered');
  return {
    cause: `the canary never answered: ${count(checks)} of ${plural(checks, 'check')}, while the baseline did${span ? `: ${clip(span.why, 120)}` : ''}`,
    remedies: [
      'Find out why the canary does not answer (is it running?), and whether its address or labels are right, then start it again.',
      'If it takes long to start, set warmupSeconds; if nothing should be rolled back for it, set onNeverAnswered: block.',
    ],
  };
}

/** `the canary's processes restarted 18 times (limit 2)`. */
export function restarts(v: Verdict): Blocked {
  const { canary = 0, baseline = 0, allowed, from } = v.silence?.restarts ?? {};
  const limit = allowed == null ? '' : ` (limit ${allowed})`;
  const other = baseline === 0 ? 'the baseline did not restart' : `the baseline ${plural(baseline, 'time')}`;
  const what =
    from === 'processes'
      ? `the canary's processes restarted ${plural(canary, 'time')}${limit}; ${other}`
      : `the canary's counters were reset at ${plural(canary, 'check')}${limit}, as after a restart; ${baseline === 0 ? "the baseline's were not" : `the baseline's at ${count(baseline)}`}`;
  return {
    cause: what,
    remedies: [
      'Find out why the canary restarts (its logs, its memory limit, its health checks), then start it again.',
      'If so many restarts are part of a deploy, start the canary after it, set warmupSeconds, or raise maxRestarts.',
    ],
  };
}

/** No request at the end; null where there were some, or none were to be expected. */
export function idleEnd(v: Verdict): Blocked | null {
  const idle = v.silence?.idle;
  if (!idle) return null;
  return {
    cause: `no requests in the last ${seconds(idle.seconds)} of ${seconds(v.elapsedSeconds)}, in which about ${count(idle.expected)} would have come at the rate before, so nothing shows how the canary serves now`,
    remedies: ['Find out why no requests reach the canary any more (its route, its weight), then start it again.'],
  };
}

const MOST_SHOWN = 5;

/** One sentence for each arm and kind of silence, with its times. */
export function silenceSentences(v: Verdict, day: number): string[] {
  const spans = v.silence?.spans ?? [];
  const more = v.silence?.more ?? 0;
  const sentences = (['canary', 'baseline'] as const).flatMap((arm) =>
    (['unanswered', 'idle', 'restart'] as const).flatMap((kind) => {
      const found = spans.filter((span) => span.arm === arm && span.kind === kind);
      return found.length === 0 ? [] : [sentence(found, day)];
    }),
  );
  return more > 0 ? [...sentences, `${plural(more, 'further silence')} not listed.`] : sentences;
}

function sentence(spans: readonly SilentSpan[], day: number): string {
  const [first] = spans as [SilentSpan];
  const rest = spans.length - MOST_SHOWN;
  const shared = spans.every(({ why }) => why === first.why);
  const reason = ({ kind, why }: SilentSpan) => (kind === 'idle' ? '' : ` (${clip(why, 120)})`);
  const times = spans
    .slice(0, MOST_SHOWN)
    .map((span) => `${spanText(span, day)}${shared ? '' : reason(span)}`)
    .join('; ');
  const more = rest > 0 ? `; and ${plural(rest, 'more time')}` : '';
  return `${WHAT[first.kind](first.arm)} ${times}${more}${shared ? reason(first) : ''}.`;
}

const WHAT: Record<SilentSpan['kind'], (arm: string) => string> = {
  unanswered: (arm) => `The ${arm} did not answer`,
  idle: (arm) => `The ${arm} had no requests`,
  restart: (arm) => `The ${arm} restarted, and what it counted just before is lost,`,
};

function spanText({ kind, from, to, checks }: SilentSpan, day: number): string {
  if (kind === 'restart') return `between ${timeOn(from, day)} and ${timeOn(to, day)}`;
  return `from ${timeOn(from, day)} to ${timeOn(to, day)}, ${plural(checks, 'check')}`;
}

function longest({ silence }: Verdict, kind: SilentSpan['kind']): SilentSpan | null {
  const found = (silence?.spans ?? []).filter((span) => span.arm === 'canary' && span.kind === kind);
  return found.reduce<SilentSpan | null>((a, b) => (a !== null && a.checks >= b.checks ? a : b), null);
}

/** Cells of the first screen, where there is something to tell: `✗ availability  10% unanswered (limit 5%)`. */
export function silenceCells({ silence }: Verdict): string[] {
  if (!silence) return [];
  const { availability: a, restarts: r } = silence;
  const cells: string[] = [];
  if (a !== null && a.down > 0)
    cells.push(
      `${a.exceeded ? '✗' : '✓'} availability  ${percent(a.share ?? 0)} unanswered (limit ${percent(a.limit)})${a.reportOnly ? ', report only' : ''}`,
    );
  if (r.canary > 0 && r.allowed !== null)
    cells.push(`${r.canary > r.allowed ? '✗' : '✓'} restarts  ${count(r.canary)} (limit ${count(r.allowed)})`);
  return cells;
}
