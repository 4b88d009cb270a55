import type { Clock } from '../../clock.js';
import { authOf, type Config } from '../config.js';
import { firstLook, lineOf } from '../first-look.js';
import { policyOfFile } from '../policy-input.js';
import { type Found, fail, ok, warn } from './check.js';

interface Asked {
  modelId?: string | undefined;
  fromGate?: string | undefined;
  toGate?: string | undefined;
  policy: string | null;
}

/** The same first look as when a canary starts; without a policy, at everything that the signals name. */
export async function sourceChecks(config: Config, asked: Asked, clock: Clock): Promise<Found[]> {
  const { source } = config;
  if (source.kind === 'none')
    return [warn('none configured: a canary ends BLOCKED without one', 'Run lukhas init, or see docs/metrics.md.')];
  const policy = asked.policy === null ? null : await policyOfFile(asked.policy);
  const { modelId = 'model', fromGate = null, toGate = null } = asked;
  const look = await firstLook({
    source,
    auth: authOf(config, source),
    now: clock.now,
    policy,
    modelId,
    fromGate,
    toGate,
  });
  const shown = look.findings.map((finding): Found => {
    const { level, advice, unanswered } = finding;
    if (unanswered) return fail('SOURCE_UNREACHABLE', lineOf(finding), 'Is it running, and is this its address?');
    if (level === 'fatal') return fail('FIRST_LOOK', lineOf(finding), advice);
    return level === 'warning' ? warn(lineOf(finding), advice) : ok(lineOf(finding));
  });
  return look.skipped === null ? shown : [...shown, ok(look.skipped)];
}
