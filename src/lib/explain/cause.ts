import type { DriftReport, ObjectiveReport, RateReport, Verdict } from '../judge/index.js';
import { blocked } from './blocked.js';
import { briefPercent, briefPsi } from './brief.js';
import { deciders } from './deciders.js';
import { label } from './objective-sentences.js';
import { above, counted, drifted, lateOnset, sidesOf, since } from './rate-facts.js';
import { count, percent, plural } from './words.js';

/** Why it was decided so, with the numbers, in words that can follow a colon; pure. */
export function why(v: Verdict): string {
  const o = v.objectives.find((x) => x.name === v.decidedBy || (x.type === 'reading' && x.rule.name === v.decidedBy));
  switch (v.reason) {
    case 'evidence_against':
      return o ? against(o) : 'the evidence is against it';
    case 'failing_readings':
      return o?.type === 'reading'
        ? `${label(o)} failed ${plural(o.consecutiveFailing, 'check')} in a row: last reading ${o.last}`
        : `${v.decidedBy ?? 'a reading'} failed too many checks in a row`;
    case 'certified_at_end':
      return `${certified(v)} at the end of the window`;
    case 'certified_early':
      return `${certified(v)} before the end of the window`;
    case 'met_without_certificate':
      return metUncertified(v);
    case 'watching':
      return 'no decision yet';
    default:
      return blocked(v)?.cause ?? 'the evidence suffices neither way';
  }
}

/** What to do next, for the reasons that leave something to do; pure. */
export function nextSteps(v: Verdict): string[] {
  return v.decision === 'continue' ? [] : (blocked(v)?.remedies ?? []);
}

function certified(v: Verdict): string {
  const objectives = deciders(v);
  const [only] = objectives;
  return objectives.length === 1 && only
    ? `${only.name} is certified`
    : `all ${objectives.length} objectives are certified`;
}

/** Readings never carry a certificate; anything else that has none was promoted because the policy allows it. */
function metUncertified(v: Verdict): string {
  const readings = deciders(v).filter((o) => o.type === 'reading');
  const rest = deciders(v).filter((o) => o.type !== 'reading');
  if (readings.length === 0 || !rest.every((o) => o.promote.certified))
    return 'every estimate meets its target, but the evidence does not certify it';
  const names = rest.length === 0 ? '' : `, ${readings.map((o) => o.name).join(', ')}`;
  return `every target is met${names} by ${readings.some((o) => o.failing + o.missed > 0) ? 'its readings' : 'its newest reading'}; readings cannot be certified`;
}

function against(o: ObjectiveReport): string {
  if (o.type === 'drift') return drift(o);
  return o.type === 'rate' ? rate(o) : `${label(o)} is not met`;
}

function rate(o: RateReport): string {
  const { did } = sidesOf(o);
  if (o.relative) {
    const b = o.baseline;
    const times =
      b?.ratio == null ? '' : `${Number(b.ratio.toPrecision(3))}x the baseline's rate (limit ${o.target}x); `;
    const compared = b ? `, ${count(b.bad)} of ${count(b.total)} of the baseline's` : '';
    return `${o.name} too high: ${times}${count(o.bad)} of ${plural(o.total, 'request')} ${did}${compared}`;
  }
  const badly = o.signal === 'errors' ? 'failed' : above(o);
  const of = (bad: number, total: number, then = '') =>
    `${count(bad)} of ${plural(total, counted(o))}${then} ${badly} (${briefPercent(bad / total, o.p0)}, limit ${percent(o.p0)})`;
  const late = lateOnset(o);
  if (late) return `${o.name} too high since check ${late.tick}: ${of(late.bad, late.total, ' since then')}`;
  const onset = since(o);
  return `${o.name} too high: ${of(o.bad, o.total)}${onset ? `, since check ${onset.tick}` : ''}`;
}

function drift(o: DriftReport): string {
  const value = o.value === null ? '' : `PSI ${briefPsi(o.value, o.target)} (limit ${o.target}), `;
  return `drift too high: ${value}from ${plural(o.canaryTotal, drifted(o))} of the canary and ${count(o.baselineTotal)} of the baseline`;
}
