import { readFile } from 'node:fs/promises';
import { Flags } from '@oclif/core';
import { LukhasError } from '../lib/errors.js';
import type { Policy } from '../lib/judge/policy.js';
import { parseDuration } from '../lib/runtime/duration.js';

/** Flags that make or amend a policy. */
export const policyFlags = {
  policy: Flags.string({ description: 'policy file, JSON or YAML', helpValue: 'FILE' }),
  'latency-p95-ms': Flags.string({ description: 'at most 5% of requests may be slower', helpValue: 'MS' }),
  'max-error-rate': Flags.string({ description: 'largest share of failed requests, e.g. 0.02', helpValue: 'RATE' }),
  'max-drift': Flags.string({ description: 'largest drift (PSI) of the scores, e.g. 0.15', helpValue: 'PSI' }),
  window: Flags.string({ description: 'length of the window, e.g. 120s', helpValue: 'TIME' }),
};

interface PolicyFlagValues {
  policy?: string | undefined;
  'latency-p95-ms'?: string | undefined;
  'max-error-rate'?: string | undefined;
  'max-drift'?: string | undefined;
  window?: string | undefined;
}

/** When only targets are given. */
const DEFAULT_WINDOW_SECONDS = 300;

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
  const { parsePolicy } = await import('../lib/judge/policy-schema.js');
  const file = flags.policy ?? configured;
  const written = file === null ? {} : await readPolicy(file);
  const targets: Record<string, unknown> = {};
  for (const [flag, target] of Object.entries(TARGET_FLAGS) as [keyof typeof TARGET_FLAGS, string][]) {
    const value = flags[flag];
    if (value !== undefined) targets[target] = number(value, `--${flag}`);
  }
  const window = flags.window === undefined ? {} : { windowSeconds: parseDuration(flags.window, '--window') };
  if (file === null && Object.keys(targets).length === 0)
    throw new LukhasError('USAGE', 'No policy: nothing says what the canary must meet.', {
      suggestions: ['--policy FILE, or targets, e.g. --latency-p95-ms 250 --max-error-rate 0.02'],
    });
  if (typeof written !== 'object' || written === null || Array.isArray(written))
    return parsePolicy(written, file ?? 'policy');
  const base = written as { targets?: Record<string, unknown> };
  const merged = {
    ...(file === null ? { windowSeconds: DEFAULT_WINDOW_SECONDS } : {}),
    ...base,
    ...window,
    ...(Object.keys(targets).length > 0 ? { targets: { ...base.targets, ...targets } } : {}),
  };
  const policy = parsePolicy(merged, file ?? 'flags');
  for (const [flag, target] of Object.entries(TARGET_FLAGS)) {
    const before = base.targets?.[target];
    if (before !== undefined && before !== null && target in targets && before !== targets[target])
      say(`policy ${file}: ${target} ${JSON.stringify(before)} overridden by --${flag} ${targets[target]}`);
  }
  return policy;
}

/** What a policy file holds, before it is checked. @throws LukhasError POLICY */
export async function readPolicy(file: string): Promise<unknown> {
  const { parseText } = await import('../lib/input/text.js');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const why = { ENOENT: 'no such file', EISDIR: 'is a folder, not a file' }[code] ?? `cannot be read (${code})`;
    throw new LukhasError('POLICY', `${file}: ${why}`, {
      suggestions: ['Name a policy file in YAML or JSON; docs/policy.md says what stands in it.'],
      cause,
    });
  }
  return parseText(text, file, 'POLICY');
}

/** @throws LukhasError USAGE */
export function number(text: string, what: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new LukhasError('USAGE', `${what}: expected a number, got ${JSON.stringify(text)}`);
}
