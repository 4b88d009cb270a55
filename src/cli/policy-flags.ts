import { Flags } from '@oclif/core';
import { composePolicy } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';
import { parseDuration } from '../lib/input/index.js';
import type { Policy } from '../lib/judge/index.js';

/** Flags that make or amend a policy. */
export const policyFlags = {
  policy: Flags.string({ description: 'policy file, JSON or YAML', helpValue: 'FILE' }),
  'latency-p95-ms': Flags.string({ description: 'limit in ms: at most 5% of requests may be slower', helpValue: 'MS' }),
  'max-error-rate': Flags.string({
    description: 'limit for the share of failed requests, e.g. 0.02',
    helpValue: 'RATE',
  }),
  'max-drift': Flags.string({ description: 'limit for the drift (PSI) of the scores, e.g. 0.15', helpValue: 'PSI' }),
  window: Flags.string({ description: 'length of the window, e.g. 120s', helpValue: 'TIME' }),
};

interface PolicyFlagValues {
  policy?: string | undefined;
  'latency-p95-ms'?: string | undefined;
  'max-error-rate'?: string | undefined;
  'max-drift'?: string | undefined;
  window?: string | undefined;
}

const TARGET_FLAGS = {
  'latency-p95-ms': 'latency_p95_ms',
  'max-error-rate': 'max_error_rate',
  'max-drift': 'max_drift',
} as const;

/**
 * The policy that a file and flags make together; flags win.
 * @param configured the configuration's policy file, used when no file is given by flag
 * @param say told, in a line each, which targets of the file flags override
 * @throws LukhasError POLICY, USAGE
 */
export async function policyFromFlags(
  flags: PolicyFlagValues,
  configured: string | null,
  say: (line: string) => void,
): Promise<Policy> {
  const file = flags.policy ?? configured;
  const targets: Record<string, number> = {};
  for (const [flag, target] of Object.entries(TARGET_FLAGS) as [keyof typeof TARGET_FLAGS, string][]) {
    const value = flags[flag];
    if (value !== undefined) targets[target] = number(value, `--${flag}`);
  }
  const { policy, overridden } = await composePolicy({
    file,
    targets,
    windowSeconds: flags.window === undefined ? undefined : parseDuration(flags.window, '--window'),
    where: WHERE,
    suggestion: 'Pass --policy FILE, or targets, e.g. --latency-p95-ms 250 --max-error-rate 0.02.',
  }).catch((error: unknown) => {
    throw inWordsOfFlags(error, flags);
  });
  for (const { target, before, after } of overridden)
    say(`policy ${file}: ${target} ${JSON.stringify(before)} overridden by --${flagOf(target)} ${after}`);
  return policy;
}

/** A problem of a key is one of the flag that it was given by: `--max-error-rate 2: must be between 0 and 1`. */
function inWordsOfFlags(error: unknown, flags: PolicyFlagValues): unknown {
  if (!(error instanceof LukhasError)) return error;
  const message = error.message.replace(KEY, (all, key: string, problem: string, got?: string) => {
    const flag = key === 'windowSeconds' ? 'window' : flagOf(key.replace(/^targets\./, ''));
    const value = flags[flag as keyof PolicyFlagValues];
    return value === undefined ? all : `--${flag} ${value}: ${problem}${got ?? ''}`;
  });
  const { code, suggestions, exit } = error;
  return new LukhasError(code, message, { suggestions, exit, cause: error });
}

const WHERE = 'flags';
/** A problem of a key, without what was given for it: the flag shows that. */
const KEY = /^flags: (\S+): (.*?)(?:, got [^;]*)?(; .*)?$/;

function flagOf(target: string): string | undefined {
  return Object.entries(TARGET_FLAGS).find(([, name]) => name === target)?.[0];
}

/** @throws LukhasError USAGE */
export function number(text: string, what: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new LukhasError('USAGE', `${what}: expected a number, got ${JSON.stringify(text)}`);
}
