import { Chalk, type ForegroundColorName } from 'chalk';
import {
  clip,
  headline,
  nextSteps,
  plural,
  summarise,
  summariseEnded,
  type Width,
  wrap,
} from '../lib/explain/index.js';
import type { Canary } from '../lib/readings/index.js';
import { advice } from './advice.js';
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

/** A pen for text in one line: colour only on a terminal, and never with --no-color or NO_COLOR. */
export function paint(stream: NodeJS.WriteStream, noColor: boolean | undefined) {
  const plain = noColor || !stream.isTTY || Boolean(process.env['NO_COLOR']);
  const chalk = new Chalk({ level: plain ? 0 : 1 });
  return (text: string, ...styles: (ForegroundColorName | 'bold')[]): Styled =>
    Styled.colored(text, (shown) => styles.reduceRight((inner, style) => chalk[style](inner), shown));
}

/** Columns of a terminal; null for a pipe or a file, where lines are not broken. */
export function widthOf(stream: NodeJS.WriteStream): Width {
  return stream.isTTY ? stream.columns || 80 : null;
}

/**
 * The canary's first screen, for a terminal or a pipe.
 * @param more lines, not indented, shown before the next steps
 */
export function presentCanary(canary: Canary, noColor: boolean | undefined, more: readonly string[] = []): Styled {
  const pen = paint(process.stdout, noColor);
  const color = PAINT[canary.state as keyof typeof PAINT];
  const [first = '', ...rest] = lines(canary, widthOf(process.stdout), more).map((line) => line.trimEnd());
  return block([color ? pen(first, color, 'bold') : first, ...rest]);
}

function lines(canary: Canary, width: Width, more: readonly string[]): string[] {
  const { verdict, ended } = canary;
  const text = (line: string) => wrap(line, width, '  ', '    ');
  return [
    ...(ended
      ? summariseEnded(canary, ended, verdict, width)
      : verdict
        ? summarise(canary, verdict, width)
        : undecided(canary, width)),
    ...(canary.dryRun ? ['  dry run: no hook was called, no gate changed'] : []),
    ...approvalLines(canary).flatMap(text),
    ...[...actionLines(canary), ...more].flatMap(text),
    ...steps(canary).flatMap((step) => wrap(advice(step), width, '  next: ', '        ')),
  ];
}

/** Before the first check, or where the canary could not be checked at all. */
function undecided(canary: Canary, width: Width): string[] {
  const { failure, state } = canary;
  return [
    ...headline(canary, state === 'PENDING' ? 'waiting for its first check' : '', width),
    ...(failure ? wrap(failure.message, width, '  ', '    ') : []),
  ];
}

function actionLines({ action, toGate, modelId, consent }: Canary): string[] {
  const { kind, state, failed, detail, hooks } = action;
  if (kind === null) return [];
  switch (state) {
    case 'none':
    case 'awaiting approval':
    case 'rejected':
      return [];
    case 'pending':
      return [`${kind === 'promote' ? 'promotion' : 'rollback'} not carried out yet: the hooks have not all run`];
    case 'lapsed':
      return [
        consent.lapsed?.begun
          ? `NOT promoted: ${toGate} changed after hooks had run, so the approvals lapsed`
          : 'NOT promoted: the approvals expired before the promotion was carried out',
      ];
    case 'failed':
      return [`hook "${failed}" FAILED${detail === null ? '' : `: ${clip(detail, DETAIL)}`}`];
    case 'done': {
      const called = hooks ? `${plural(hooks, `${kind} hook`)} called` : 'no hook or webhook was notified';
      if (kind === 'promote') return [`${toGate} now holds ${modelId}; ${called}`];
      return hooks ? [called] : [];
    }
  }
}

/** What to do next; the last step is always the whole story. */
function steps(canary: Canary): string[] {
  const { id, verdict, ended, failure, action, consent } = canary;
  const list: string[] = [];
  if (failure && !verdict) list.push('Fix what the message names, then start the canary again.');
  if (action.state === 'awaiting approval') {
    list.push(`lukhas canary approve ${id} --reason "..."`, `lukhas canary reject ${id} --reason "..."`);
  } else if (verdict && !ended) list.push(...nextSteps(verdict));
  if (action.state === 'failed') list.push(`Fix the hook, then run: lukhas canary retry ${id}`);
  if (action.state === 'lapsed')
    list.push(
      consent.lapsed?.begun
        ? 'Check what the hooks that ran have done, then start a new canary.'
        : 'Start a new canary: it takes new evidence.',
    );
  if (consent.breakGlass && !consent.breakGlass.review)
    list.push(`Have another person review it: lukhas canary review ${id} --reason "..."`);
  return [...list, `lukhas why ${id}`];
}
