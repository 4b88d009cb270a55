import type { Verdict } from '../judge/index.js';
import type { Actor } from '../ledger/index.js';
import { why } from './cause.js';
import { briefEvidence, hasEvidence, howSure } from './certainty.js';
import { flow, spread, type Width, wrap } from './layout.js';
import { objectiveCell } from './objective-cells.js';
import { silenceCells } from './silences.js';
import { oneLine, seconds } from './words.js';

/** What a summary is about, beside the verdict. */
export interface SummarySubject {
  modelId: string;
  fromGate: string;
  toGate: string;
  /** As data has it: ROLLED_BACK. */
  state: string;
}

/**
 * A verdict's first screen: outcome, cause with its numbers, evidence and promise, objectives. What lies below (bounds,
 * buckets, design effect) is for `why` and `why-math`. Pure; plain text.
 */
export function summarise(subject: SummarySubject, verdict: Verdict, width: Width): string[] {
  return [
    ...headline(subject, whenText(verdict), width),
    ...wrap(why(verdict), width, '  ', '    '),
    ...evidenceLines(verdict, width),
    ...objectiveCells(verdict, width),
  ];
}

/** An abort or an override comes before the cause that the evidence gave until then. */
export function summariseEnded(
  subject: SummarySubject,
  { by, reason }: { by: Actor; reason: string },
  verdict: Verdict | null,
  width: Width,
): string[] {
  const what =
    {
      PROMOTED: 'promoted by hand, against the verdict,',
      BLOCKED: 'promotion by hand requested, against the verdict,',
    }[subject.state] ?? 'aborted';
  return [
    ...headline(subject, '', width),
    ...wrap(`${what} by ${oneLine(by.who)} (${by.how}): ${oneLine(reason)}`, width, '  ', '    '),
    ...(verdict ? wrap(`until then: ${why(verdict)}`, width, '  ', '    ') : []),
    ...(verdict ? objectiveCells(verdict, width) : []),
  ];
}

/** `ROLLED BACK  fraud-v2  stage → production                     after 9 s (21 s saved)`. */
export function headline(subject: SummarySubject, when: string, width: Width): string[] {
  const { state, modelId, fromGate, toGate } = subject;
  return spread(`${stateText(state)}  ${modelId}  ${fromGate} → ${toGate}`, when, width);
}

/** A state as text has it: ROLLED BACK; data has ROLLED_BACK. */
export function stateText(state: string): string {
  return state.replaceAll('_', ' ');
}

export function whenText({ decision, elapsedSeconds, savedSeconds }: Verdict): string {
  if (decision === 'continue') return `${seconds(elapsedSeconds)} into the window`;
  const saved = decision !== 'block' && savedSeconds > 0 ? ` (${seconds(savedSeconds)} saved)` : '';
  return `after ${seconds(elapsedSeconds)}${saved}`;
}

export function evidenceLines(verdict: Verdict, width: Width): string[] {
  return flow([...(hasEvidence(verdict) ? [briefEvidence(verdict)] : []), howSure(verdict)], 3, width, '  ');
}

export function objectiveCells(verdict: Verdict, width: Width): string[] {
  return flow([...verdict.objectives.map(objectiveCell), ...silenceCells(verdict)], 4, width, '  ');
}
