import { Chalk, type ForegroundColorName } from 'chalk';
import { clip, nextSteps, summarise } from '../lib/explain/index.js';
import type { Canary } from '../lib/readings/index.js';
import { approvalLines } from './present-approvals.js';
import { block, Styled } from './screen.js';

/** Characters of a failed hook's words that are shown; the log has the rest. */
const DETAIL = 200;

/** Colours of the states. */
export const PAINT = {
  PROMOTED: 'green',
  ROLLED_BACK: 'red',
  BLOCKED: 'yellow',
  ABORTED: 'yellow',
  FAILED: 'red',
} as const;

/** A pen for text in one line: colour only where a person looks, and never when they asked for none. */
export function paint(stream: NodeJS.WriteStream, noColor: boolean | undefined) {
  const plain = noColor || !stream.isTTY || Boolean(process.env['NO_COLOR']);
  const chalk = new Chalk({ level: plain ? 0 : 1 });
  return (text: string, ...styles: (ForegroundColorName | 'bold')[]): Styled =>
    Styled.colored(text, (shown) => styles.reduceRight((inner, style) => chalk[style](inner), shown));
}

/** The canary in a few lines for a terminal or a pipe. */
export function presentCanary(canary: Canary, noColor: boolean | undefined): Styled {
  const pen = paint(process.stdout, noColor);
  const color = PAINT[canary.state as keyof typeof PAINT];
  const [first = '', ...rest] = lines(canary).map((line) => line.trimEnd());
  return block([color ? pen(first, color, 'bold') : first, ...rest]);
}

function lines(canary: Canary): string[] {
  const { verdict, ended, failure } = canary;
  if (ended) return [...endedByHand(canary, ended), ...approvalLines(canary), ...action(canary)];
  const body = verdict ? summarise(canary, verdict) : [headline(canary)];
  const failed = failure
    ? [`  failed    ${failure.message}`, '  next      Mend what it says, then start the canary again.']
    : [];
  const next = verdict ? nextSteps(verdict).map((step) => `  next      ${step}`) : [];
  return [...body, ...failed, ...approvalLines(canary), ...action(canary), ...next];
}

/** An abort or an override stands above what the evidence said until then. */
function endedByHand(canary: Canary, { by, reason }: NonNullable<Canary['ended']>): string[] {
  const what =
    {
      PROMOTED: 'promoted by hand, as an override',
      BLOCKED: 'to be promoted by hand, as an override',
    }[canary.state as string] ?? 'ended by hand';
  const summary = canary.verdict ? summarise(canary, canary.verdict) : [];
  const [why = '', , , ...objectives] = summary.slice(1);
  return [
    headline(canary),
    `  why       ${what}: ${reason}`,
    `  by        ${by.who} (${by.how})`,
    ...(why === '' ? [] : [why.replace('why      ', 'until then')]),
    ...objectives,
  ];
}

function headline(canary: Canary): string {
  return `${canary.state}  ${canary.modelId}: ${canary.fromGate} -> ${canary.toGate}  ${canary.id}`;
}

function action(canary: Canary): string[] {
  const { kind, state, failed, detail, hooks } = canary.action;
  if (kind === null || state === 'none') return [];
  if (state === 'pending') return ['  done      not yet: the hooks are still to be called'];
  if (state === 'awaiting approval') return ['  done      not yet: people have to approve it first'];
  if (state === 'rejected') return ['  done      nothing: a person rejected it'];
  if (state === 'lapsed') return lapsed(canary);
  if (state === 'failed')
    return [
      `  done      NOT: hook "${failed}" failed${detail === null ? '' : `: ${clip(detail, DETAIL)}`}`,
      `  next      mend it, then: lukhas canary retry ${canary.id}`,
    ];
  const called = hooks ? `${hooks} ${hooks === 1 ? 'hook' : 'hooks'} called` : `no ${kind} hook is configured`;
  return [`  done      ${kind === 'promote' ? `${canary.toGate} now holds ${canary.modelId}; ` : ''}${called}`];
}

function lapsed({ consent, toGate }: Canary): string[] {
  const again = '  next      only a new canary can bring new evidence';
  if (!consent.lapsed?.begun)
    return ['  done      nothing: the time ran out before the approvals were acted on', again];
  return [
    `  done      NOT: ${toGate} changed when hooks had been called already, so the approvals lapsed`,
    '  next      see to what those hooks did, then start a new canary',
  ];
}
