import type { RateReport, Verdict } from '../../judge/index.js';
import { type Facts, hasOwnTimes, type InterimVerdict } from '../../readings/index.js';
import { why } from '../cause.js';
import { evidenceText, hasEvidence, howSure } from '../certainty.js';
import { isAtEnd, label, objectiveSentence, times } from '../objective-sentences.js';
import { above, counted, inUnit } from '../rate-facts.js';
import { prunedText } from '../recheck.js';
import { clip, percent, plural, seconds, timeOn } from '../words.js';
import { person } from './request.js';

const VERBS = {
  promote: 'promote it',
  rollback: 'roll it back',
  block: 'block it',
  continue: 'keep checking it',
} as const;

/** What decided it, with the numbers, and how sure that is. */
export function decisionSentences(facts: Facts, interim: InterimVerdict): string[] {
  const { decided } = facts;
  const day = Date.parse(facts.requested.ts);
  if (!decided) return [...byHand(facts, day), ...undecided(facts, interim, day)];
  const { verdict } = decided.data;
  const saved = verdict.savedSeconds > 0 ? ` and ${seconds(verdict.savedSeconds)} before its end` : '';
  const when = `${seconds(verdict.elapsedSeconds)} into the window${saved}`;
  const clock = hasOwnTimes(facts) ? "By the input's times" : `At ${timeOn(Date.parse(decided.ts), day)}`;
  const often = verdict.certainty === 'certified' && verdict.decision === 'rollback';
  return [
    `${clock}, ${when}, lukhas decided to ${VERBS[verdict.decision]}: ${clip(why(verdict), 600)}.`,
    ...(hasEvidence(verdict) ? [sentence(evidenceText(verdict))] : []),
    sentence(`${howSure(verdict)}${often ? ', however often it is checked' : ''}`),
    ...numbers(verdict, day),
    ...byHand(facts, day),
  ];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function byHand({ overridden, aborted, failed, requested }: Facts, day: number): string[] {
  const list: string[] = [];
  if (overridden) {
    const { by, reason } = overridden.data;
    const asks = requested.data.policy.approvals !== undefined && !requested.data.dryRun;
    list.push(
      `At ${timeOn(Date.parse(overridden.ts), day)} ${person(by)} ${asks ? 'requested its promotion' : 'promoted it'} by hand against this verdict: "${clip(reason)}".`,
      'The log records this as an override: the evidence does not support it.',
    );
  }
  if (aborted) {
    const { by, reason } = aborted.data;
    list.push(`At ${timeOn(Date.parse(aborted.ts), day)} ${person(by)} aborted it: "${clip(reason)}".`);
  }
  if (failed) {
    const { code, message } = failed.data;
    list.push(
      `At ${timeOn(Date.parse(failed.ts), day)} it failed (${clip(code)}): ${clip(message).replace(/\.$/, '')}.`,
    );
  }
  return list;
}

function undecided(facts: Facts, interim: InterimVerdict, day: number): string[] {
  if (interim === 'pruned') return [`Its status then is unknown: ${prunedText(facts)}.`];
  if (interim === 'not known')
    return ['Its status then is unknown: an input has its own times, and when it was read is not recorded.'];
  if (interim === null) return ['No decision: no check has taken place.'];
  const over = facts.aborted || facts.failed;
  const head = `No decision ${over ? 'by the evidence' : 'yet'}, ${seconds(interim.elapsedSeconds)} into the window.`;
  return [head, ...(hasEvidence(interim) ? [sentence(evidenceText(interim))] : []), ...numbers(interim, day)];
}

function numbers(verdict: Verdict, day: number): string[] {
  const rates = verdict.objectives.filter((o): o is RateReport => o.type === 'rate' && o.hasData);
  return [
    ...verdict.objectives.map((o) => objectiveSentence(o, isAtEnd(verdict))),
    ...onset(verdict, rates, day),
    ...rates.flatMap(baseline),
    ...rates.flatMap(buckets),
    ...rates.flatMap(design),
  ];
}

function onset({ decision, decidedBy }: Verdict, rates: readonly RateReport[], day: number): string[] {
  const o = rates.find((rate) => rate.name === decidedBy);
  if (decision !== 'rollback' || !o?.onset) return [];
  const late =
    o.rate !== null && !o.relative && o.rate <= o.p0
      ? '. Over the whole window it still meets the target; the evidence comes from the checks since then'
      : '';
  return [`${o.name} most likely went wrong at check ${o.onset.tick}, about ${timeOn(o.onset.at, day)}${late}.`];
}

function baseline(o: RateReport): string[] {
  const b = o.baseline;
  if (!b || o.relative || b.rate === null) return [];
  const bad = o.signal === 'errors' ? 'failed' : o.histogram ? above(o) : 'were as slow';
  const ratio = b.ratio === 0 ? 'the canary had none' : `the canary's rate is ${times(b.ratio ?? 0)}x that`;
  const compared = b.ratio === null ? '' : `; ${ratio}`;
  const blame = {
    yes: ', so the canary is to blame',
    no: ', and the baseline misses the target too, so the canary is not to blame',
    unknown: '',
  }[o.rollback.against ? o.attributable : 'unknown'];
  return [
    `${label(o)}: ${percent(b.rate)} of the baseline's ${plural(b.total, counted(o))} ${bad} in the same time${compared}${blame}.`,
  ];
}

function buckets(o: RateReport): string[] {
  const { latency, name, target, relative } = o;
  if (!latency || latency.exact || relative) return [];
  const { surelyAbove, possiblyAbove } = latency;
  const certainly = surelyAbove === null ? 'none' : `those above ${inUnit(o, surelyAbove)}`;
  const possibly = possiblyAbove === null ? 'all' : `those above ${inUnit(o, possiblyAbove)}`;
  return [
    `${name}: no bucket ends at ${inUnit(o, target)}. A rollback counts ${certainly} as ${o.histogram ? 'above the limit' : 'slow'}, a promotion ${possibly}.`,
  ];
}

function design({ design: d, name }: RateReport): string[] {
  // Less cannot be seen in the figures.
  if (d.effect < 1.05) return [];
  const from = {
    none: '',
    declared: 'as the policy declares',
    baseline: 'estimated from the baseline',
    canary: "estimated from the canary's earlier checks",
  };
  return [
    `${name}: requests are not independent; about ${Number(d.effect.toPrecision(2))} of them count as one (${from[d.from]}).`,
  ];
}
