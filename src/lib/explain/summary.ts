import type { ObjectiveReport, RateReport, Verdict } from '../judge/index.js';
import { objectiveLine } from './objective-lines.js';
import { count, odds, percent, plural, seconds } from './words.js';

/** What a summary is about, beside the verdict. */
export interface SummarySubject {
  id: string;
  modelId: string;
  fromGate: string;
  toGate: string;
  state: string;
  dryRun: boolean;
}

/**
 * The verdict in a few lines: what, why with the numbers, how sure, when; then each objective. Pure; plain text.
 */
export function summarise(subject: SummarySubject, verdict: Verdict): string[] {
  const dry = subject.dryRun ? ' (dry run: nothing was done)' : '';
  return [
    `${subject.state.replace('_', ' ')}  ${subject.modelId}: ${subject.fromGate} -> ${subject.toGate}  ${subject.id}${dry}`,
    `  why       ${why(verdict)}`,
    `  how sure  ${howSure(verdict)}`,
    `  when      ${when(verdict)}`,
    ...verdict.objectives.map((o) => `  ${mark(o)} ${objectiveLine(o)}`),
  ];
}

function mark(o: ObjectiveReport): string {
  if (o.type === 'reading') return o.against ? '✗' : o.met ? '✓' : '?';
  if (o.rollback.against) return '✗';
  return o.promote.certified ? '✓' : '?';
}

/** Why it was ruled so, in words that can follow a colon. */
export function why(v: Verdict): string {
  const o = v.objectives.find((x) => x.name === v.decidedBy || (x.type === 'reading' && x.rule.name === v.decidedBy));
  switch (v.reason) {
    case 'evidence_against':
      return `${o ? `${o.name} misses its target: ` : ''}${bet(v)}`;
    case 'failing_readings':
      return `${v.decidedBy}: ${o?.type === 'reading' ? `${o.limit} readings in a row failed` : 'too many readings in a row failed'}`;
    case 'certified_at_end':
      return `every objective is certified at the end of the window`;
    case 'certified_early':
      return `every objective is certified already`;
    case 'met_without_certificate':
      return metUncertified(v);
    case 'inconclusive':
      return o ? undecided(o) : 'the evidence suffices neither way';
    case 'coverage':
      return `${inputEnded(v) ? `the input ends after ${seconds(v.elapsedSeconds)}: ` : ''}readings cover only ${percent(v.coverage)} of the window`;
    case 'unstable_counters':
      return `the canary's counters were reset ${v.ticks.resets} times in ${v.ticks.looked} looks: they are not believed`;
    case 'no_baseline':
      return 'the policy requires a baseline, and none was measured';
    case 'not_attributable':
      return `${v.decidedBy ?? 'a target'} is missed by the baseline too: not this canary's doing (attributable: no)`;
    case 'no_source':
      return 'no metrics source is configured';
    case 'no_data':
    case 'source_unreachable':
      return inputEnded(v) ? 'the input ends before it holds any measurement' : silent(v);
    case 'watching':
      return 'still watching';
  }
}

/** Readings never carry a certificate; anything else that has none was promoted by the policy's wish. */
function metUncertified(v: Verdict): string {
  const readings = v.objectives.filter((o) => o.type === 'reading');
  const rest = v.objectives.filter((o) => o.type !== 'reading');
  if (readings.length === 0 || !rest.every((o) => o.promote.certified))
    return 'every target is met, though the evidence does not certify it';
  const of = rest.length === 0 ? '' : `: ${readings.map((o) => o.name).join(', ')}`;
  return `every target is met${of} by its newest readings, which carry no certificate`;
}

function bet(v: Verdict): string {
  const act = count(Math.round(Math.exp(v.evidence.logThreshold)));
  return `a bet that the canary meets its targets would have lost ${odds(v.evidence.logE)}; we act at ${act}:1`;
}

function undecided(o: ObjectiveReport): string {
  const still = o.type === 'rate' ? neededWords(o) : '';
  return `${o.name} is neither met nor missed for certain${still}`;
}

function neededWords(o: RateReport): string {
  if (!o.needed) return o.total === 0 ? ': no requests came' : '';
  const { requests, seconds: s } = o.needed;
  if (requests === 0) return '';
  return `: about ${count(requests)} more requests were needed${s === null ? '' : ` (${seconds(s)} at this rate)`}`;
}

function silent(v: Verdict): string {
  const what = v.reason === 'source_unreachable' ? 'the metrics source cannot be reached' : 'no metrics';
  const names = new Map<string, string[]>();
  for (const [name, state] of Object.entries(v.noData?.states ?? {}))
    names.set(state, [...(names.get(state) ?? []), name]);
  const shown = [...names].map(([state, of]) => `${of.join(', ')} ${state}`).join('; ');
  return `${what} for ${seconds(v.noData?.seconds ?? 0)}${shown ? ` (${shown})` : ''}`;
}

/** Observations from a file or stream have come to their end. */
function inputEnded(v: Verdict): boolean {
  return v.objectives.every((o) => o.missing?.startsWith('ended'));
}

/** How sure that is, and which error is promised. */
export function howSure(v: Verdict): string {
  if (v.certainty === 'uncertified') return 'uncertified: decided without a promised error';
  if (v.certainty === 'undecided') return 'undecided: nothing proved it safe, so it is not promoted';
  return v.decision === 'rollback'
    ? `certified: at most ${rarely(v.alpha.rollback)} healthy canaries is rolled back, however often we look`
    : `certified: at most ${rarely(v.alpha.promote)} canaries that miss a target is promoted`;
}

function rarely(alpha: number): string {
  return `1 in ${count(Math.round(1 / alpha))}`;
}

function when(v: Verdict): string {
  const saved = v.savedSeconds > 0 ? `, ${seconds(v.savedSeconds)} before the window's end` : '';
  const { looked, withData, resets } = v.ticks;
  const restarts = resets > 0 ? `, ${plural(resets, 'counter reset')}` : '';
  const looks = `${looked} looks, ${withData} with data${restarts}`;
  const onset = v.objectives.find((o): o is RateReport => o.type === 'rate' && o.name === v.decidedBy)?.onset;
  const began = v.decision === 'rollback' && onset ? `; it most likely began at look ${onset.tick}` : '';
  return `after ${seconds(v.elapsedSeconds)}${saved} (${looks}${began})`;
}

const WHOLE_WINDOW = 'Give observations of the whole window, or make the window shorter.';

/** What to do next, for the reasons that leave something to do; pure. */
export function nextSteps(v: Verdict): string[] {
  switch (v.reason) {
    case 'no_source':
      return ['Set PROM_URL, or pass --source scrape --canary-url URL, or --source ndjson --input FILE.'];
    case 'source_unreachable':
      return [
        v.objectives.some((o) => o.missing?.startsWith('refused'))
          ? 'Check the credentials of the source (docs/configuration.md), then start the canary again.'
          : 'Check that the source is up and its URL right, then start the canary again.',
      ];
    case 'no_data':
      if (inputEnded(v)) return [WHOLE_WINDOW];
      return [
        'Check the metric names and labels of the source, or the fields of the input (docs/configuration.md), then start the canary again.',
      ];
    case 'not_attributable':
      return ['Wait until what hits both versions is over, then start the canary again.'];
    case 'no_baseline':
      return ['Name a baseline (docs/configuration.md), or let the policy do without one: baseline: auto.'];
    case 'inconclusive':
      return ['Give it more traffic or a longer window: lukhas plan tells how much is needed.'];
    case 'unstable_counters':
      return [
        'Read each process of the canary by itself: through Prometheus, or by its own URL, not through a load balancer.',
      ];
    case 'coverage':
      if (inputEnded(v)) return [WHOLE_WINDOW];
      return [
        'Readings were missing, or no requests came, for a part of the window; find out why, then start the canary again.',
      ];
    default:
      return [];
  }
}
