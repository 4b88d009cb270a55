import { basename } from 'node:path';
import { Flags } from '@oclif/core';
import type { Selection } from '../lib/app/index.js';
import { readPolicy } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';
import type { ReplayRequest, WrittenPolicy } from '../lib/replay/index.js';

export const replayFlags = {
  from: Flags.string({
    description: 'canaries that started at this time or later, e.g. 30d for the last 30 days',
    helpValue: 'TIME',
  }),
  to: Flags.string({ description: 'canaries that started before this time', helpValue: 'TIME' }),
  model: Flags.string({ description: 'only this model', helpValue: 'MODEL' }),
  canary: Flags.string({
    description: 'only this canary: its id or a unique prefix (may be repeated)',
    helpValue: 'ID',
    multiple: true,
    exclusive: ['from', 'to', 'model', 'input', 'source'],
  }),
  input: Flags.string({
    description: 'NDJSON file of observations, instead of the log; - reads standard input',
    helpValue: 'FILE',
    exclusive: ['from', 'to', 'canary', 'source'],
    dependsOn: ['policy'],
  }),
  source: Flags.string({
    description: 'judge a past that lukhas did not watch, read from: prometheus',
    helpValue: 'KIND',
    dependsOn: ['from', 'model', 'policy'],
  }),
  'prom-url': Flags.string({
    description: 'URL of Prometheus (or set PROM_URL)',
    helpValue: 'URL',
    dependsOn: ['source'],
  }),
  'from-gate': Flags.string({
    description: 'with --source: gate of the canary (default: stage)',
    helpValue: 'GATE',
    dependsOn: ['source'],
  }),
  'to-gate': Flags.string({
    description: 'with --source: gate of the baseline (default: production)',
    helpValue: 'GATE',
    dependsOn: ['source'],
  }),
  policy: Flags.string({
    description: "policy file to replay with, JSON or YAML (default: each canary's own policy)",
    helpValue: 'FILE',
  }),
  set: Flags.string({
    description: 'change one key of the policy, e.g. targets.max_error_rate=0.05 (may be repeated)',
    helpValue: 'KEY=VALUE',
    multiple: true,
  }),
  sweep: Flags.string({
    description: 'try every value: KEY=FROM:TO:STEP or KEY=A,B,C (may be repeated)',
    helpValue: 'KEY=VALUES',
    multiple: true,
  }),
  report: Flags.string({ description: 'write an HTML report', helpValue: 'FILE' }),
  'fail-on-flip': Flags.boolean({ description: 'exit code 9 if a decision would change' }),
};

interface ReplayFlagValues {
  from?: string | undefined;
  to?: string | undefined;
  model?: string | undefined;
  canary?: string[] | undefined;
  input?: string | undefined;
  source?: string | undefined;
  'prom-url'?: string | undefined;
  'from-gate'?: string | undefined;
  'to-gate'?: string | undefined;
  policy?: string | undefined;
  set?: string[] | undefined;
  sweep?: string[] | undefined;
  report?: string | undefined;
}

/** @throws LukhasError USAGE */
export async function selectionOf(flags: ReplayFlagValues, now: number): Promise<Selection> {
  const { canary: canaryIds = [], model: modelId = null } = flags;
  if (canaryIds.length === 0 && [flags.from, flags.to, flags.model].every((flag) => flag === undefined))
    throw new LukhasError('USAGE', 'No canaries given to replay.', {
      suggestions: ['Pass --from 30d, --model MODEL, --canary ID or --input FILE.', 'List them: lukhas canary list'],
    });
  return { canaryIds, ...(await timesOf(flags, now)), modelId };
}

/** @throws LukhasError USAGE */
export async function timesOf(
  flags: ReplayFlagValues,
  now: number,
): Promise<{ from: number | null; to: number | null }> {
  const { parseInstant } = await import('../lib/input/instant.js');
  const from = flags.from === undefined ? null : parseInstant(flags.from, now, '--from');
  const to = flags.to === undefined ? null : parseInstant(flags.to, now, '--to');
  if (from !== null && to !== null && from >= to)
    throw new LukhasError('USAGE', `--from ${flags.from}: must be before --to ${flags.to}.`);
  return { from, to };
}

/** What to replay under. @throws LukhasError USAGE, POLICY */
export async function requestOf(
  flags: ReplayFlagValues,
): Promise<Omit<ReplayRequest, 'log' | 'from' | 'to' | 'modelId'>> {
  const [{ parseSetting }, { parseAxis }] = await Promise.all([
    import('../lib/replay/change-policy.js'),
    import('../lib/replay/sweep-axes.js'),
  ]);
  const given = flags.policy === undefined ? null : { written: await readPolicy(flags.policy), where: flags.policy };
  return {
    given,
    settings: (flags.set ?? []).map((text) => parseSetting(text, '--set')),
    axes: (flags.sweep ?? []).map(parseAxis),
    policyName: nameOf(given, flags.set ?? []),
    keepSeries: flags.report !== undefined,
  };
}

/** Names no folder, so that the same replay reads the same everywhere. */
function nameOf(given: WrittenPolicy | null, settings: readonly string[]): string {
  const name = given && (writtenName(given.written) ?? basename(given.where));
  const own = name ?? 'own policy';
  return settings.length === 0 ? own : `${own} with ${settings.join(', ')}`;
}

function writtenName(written: unknown): string | null {
  const name = typeof written === 'object' && written !== null && 'name' in written ? written.name : null;
  return typeof name === 'string' && name !== '' ? name : null;
}
