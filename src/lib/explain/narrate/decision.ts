import type { RateReport, Verdict } from '../../judge/index.js';
import { type Facts, hasOwnTimes, type InterimVerdict } from '../../readings/index.js';
import { isAtEnd, label, objectiveSentence, times } from '../objective-sentences.js';
import { howSure, why } from '../summary.js';
import { clip, count, milliseconds, odds, percent, plural, seconds, timeOn } from '../words.js';
import { person } from './request.js';

const VERBS = {
  promote: 'promote it',
  rollback: 'roll it back',
  block: 'block it',
  continue: 'go on watching',
} as const;

/** What decided it, with the numbers, and how sure that is. */
export function decisionSentences(facts: Facts, standing: InterimVerdict): string[] {
  const { decided } = facts;
  const day = Date.parse(facts.requested.ts);
  if (!decided) return [...byHand(facts, day), ...undecided(facts, standing, day)];
  const { verdict } = decided.data;
  const when = `${seconds(verdict.elapsedSeconds)} into the window`;
  const saved = verdict.savedSeconds > 0 ? ` and ${seconds(verdict.savedSeconds)} before its end` : '';
  const clock = hasOwnTimes(facts) ? "By the input's own times" : `At ${timeOn(Date.parse(decided.ts), day)}`;
  return [
    `${clock}, ${when}${saved}, lukhas decided to ${VERBS[verdict.decision]}: ${clip(why(verdict), 600)}.`,
    `This is ${howSure(verdict)}.`,
    ...numbers(verdict, day),
    ...byHand(facts, day),
  ];
}

function byHand({ overridden, aborted, failed, requested }: Facts, day: number): string[] {
  const list: string[] = [];
  if (overridden) {
    const { by, reason } = overridden.data;
    const asks = requested.data.policy.approvals !== undefined && !requested.data.dryRun;
    list.push(
      `At ${timeOn(Date.parse(overridden.ts), day)} ${person(by)} ${asks ? 'asked for it to be promoted' : 'promoted it'} by hand against this verdict: "${clip(reason)}".`,
      'The log keeps that as an override: no evidence stands behind it.',
    );
  }
  if (aborted) {
    const { by, reason } = aborted.data;
    list.push(`At ${timeOn(Date.parse(aborted.ts), day)} ${person(by)} ended it: "${clip(reason)}".`);
  }
  if (failed) {
    const { code, message } = failed.data;
    list.push(
      `At ${timeOn(Date.parse(failed.ts), day)} it was given up (${clip(code)}): ${clip(message).replace(/\.$/, '')}.`,
    );
  }
  return list;
}

function undecided(facts: Facts, standing: InterimVerdict, day: number): string[] {
  if (standing === 'pruned') return ['How it stood by then cannot be told: its readings were pruned.'];
  if (standing === 'not known')
    return ['How it stood by then cannot be told: an input has its own times, and when it was read is not recorded.'];
  if (standing === null) return ['Nothing is decided: no look has been taken.'];
  const over = facts.aborted || facts.failed;
  const head = `Nothing ${over ? 'was' : 'is'} decided by the evidence: ${seconds(standing.elapsedSeconds)} into the window ${over ? 'it stood' : 'it stands'} like this.`;
  return [head, ...numbers(standing, day)];
}

function numbers(verdict: Verdict, day: number): string[] {
  const rates = verdict.objectives.filter((o): o is RateReport => o.type === 'rate' && o.hasData);
  return [
    ...verdict.objectives.map((o) => objectiveSentence(o, isAtEnd(verdict))),
    bet(verdict),
    ...onset(verdict, rates, day),
    ...rates.flatMap(baseline),
    ...rates.flatMap(buckets),
    ...rates.flatMap(design),
  ].filter((s) => s !== '');
}

function bet({ evidence, reason, objectives }: Verdict): string {
  // The reason tells it already, or nothing was there to bet on.
  if (reason === 'evidence_against' || objectives.every((o) => o.type === 'reading' || !o.hasData)) return '';
  const act = count(Math.round(Math.exp(evidence.logThreshold)));
  return `The bet against it over all objectives stands at ${odds(evidence.logE)}; it is rolled back at ${act}:1.`;
}

function onset({ decision, decidedBy }: Verdict, rates: readonly RateReport[], day: number): string[] {
  const o = rates.find((rate) => rate.name === decidedBy);
  if (decision !== 'rollback' || !o?.onset) return [];
  const late =
    o.rate !== null && !o.relative && o.rate <= o.p0
      ? ': the share over the whole window is still within the target, and the evidence comes from the looks since then'
      : '';
  return [`${o.name} most likely went wrong at look ${o.onset.tick}, about ${timeOn(o.onset.at, day)}${late}.`];
}

function baseline(o: RateReport): string[] {
  const b = o.baseline;
  if (!b || o.relative || b.rate === null) return [];
  const bad = o.signal === 'errors' ? 'failed' : 'were as slow';
  const ratio = b.ratio === 0 ? 'the canary had none' : `the canary's rate is ${times(b.ratio ?? 0)} times that`;
  const compared = b.ratio === null ? '' : `; ${ratio}`;
  const doing = {
    yes: ', so this is its own doing',
    no: ', and the baseline misses the target too, so this is not its own doing',
    unknown: '',
  }[o.rollback.against ? o.attributable : 'unknown'];
  return [
    `${label(o)}: of the baseline's ${plural(b.total, 'request')} in the same time ${percent(b.rate)} ${bad}${compared}${doing}.`,
  ];
}

function buckets({ latency, name, target, relative }: RateReport): string[] {
  if (!latency || latency.exact || relative) return [];
  const surely = latency.surelyAbove === null ? 'none' : `those above ${milliseconds(latency.surelyAbove)}`;
  const possibly = latency.possiblyAbove === null ? 'all' : `those above ${milliseconds(latency.possiblyAbove)}`;
  return [
    `${name}: no bucket ends at ${milliseconds(target)}, so ${surely} count as surely slow, and ${possibly} as possibly slow.`,
  ];
}

function design({ design: d, name }: RateReport): string[] {
  // Less cannot be seen in the figures.
  if (d.effect < 1.05) return [];
  const from = {
    none: '',
    declared: 'as the policy declares',
    baseline: 'estimated from the baseline',
    canary: "estimated from the canary's earlier looks",
  };
  return [
    `${name}: requests may share their fate, so about ${Number(d.effect.toPrecision(2))} of them count as one (${from[d.from]}).`,
  ];
}
