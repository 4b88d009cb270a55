import { Chalk } from 'chalk';
import type { Canary } from '../lib/canary/state.js';
import { nextSteps, summarise } from '../lib/explain/summary.js';

const PAINT = { PROMOTED: 'green', ROLLED_BACK: 'red', BLOCKED: 'yellow', ABORTED: 'yellow', FAILED: 'red' } as const;

/** Colour only where a person looks, and never when they asked for none. */
export function paint(stream: NodeJS.WriteStream, noColor: boolean | undefined) {
  const plain = noColor || !stream.isTTY || Boolean(process.env['NO_COLOR']);
  return new Chalk({ level: plain ? 0 : 1 });
}

/** The canary in a few lines for a terminal or a pipe. */
export function presentCanary(canary: Canary, noColor: boolean | undefined): string {
  const chalk = paint(process.stdout, noColor);
  const color = PAINT[canary.state as keyof typeof PAINT];
  const [first = '', ...rest] = lines(canary);
  return [color ? chalk[color].bold(first) : first, ...rest].join('\n');
}

function lines(canary: Canary): string[] {
  const subject = { ...canary };
  const head = `${canary.state}  ${canary.modelId}: ${canary.fromGate} -> ${canary.toGate}  ${canary.id}`;
  const body = canary.verdict ? summarise(subject, canary.verdict) : [head];
  const by = canary.ended
    ? [`  by        ${canary.ended.by.who} (${canary.ended.by.how}): ${canary.ended.reason}`]
    : [];
  const failed = canary.failure ? [`  failed    ${canary.failure.message}`] : [];
  const next = canary.verdict ? nextSteps(canary.verdict.reason).map((step) => `  next      ${step}`) : [];
  return [...body, ...by, ...failed, ...action(canary), ...next];
}

function action(canary: Canary): string[] {
  const { kind, state, failed, hooks } = canary.action;
  if (kind === null || state === 'none') return [];
  if (state === 'pending') return ['  done      not yet: the hooks are still to be called'];
  if (state === 'failed')
    return [`  done      NOT: hook "${failed}" failed`, `  next      mend it, then: lukhas canary retry ${canary.id}`];
  const called = hooks ? `${hooks} ${hooks === 1 ? 'hook' : 'hooks'} called` : `no ${kind} hook is configured`;
  return [`  done      ${kind === 'promote' ? `${canary.toGate} now holds ${canary.modelId}; ` : ''}${called}`];
}
