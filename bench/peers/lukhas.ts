import { rule } from '../../src/lib/judge/judge.js';
import { begin, observe } from '../../src/lib/judge/judgement.js';
import type { ArmReading } from '../../src/lib/judge/observation.js';
import type { Policy } from '../../src/lib/judge/policy.js';
import { parsePolicy } from '../../src/lib/judge/policy-schema.js';
import type { Decision } from '../../src/lib/judge/verdict.js';
import { TARGETS, TICK, type Trial, WINDOW } from '../canaries/scenarios.js';
import { between } from '../canaries/traffic.js';
import type { Contender, Outcome } from './contender.js';

/** Latency limit, ms, and the only bucket bound: what is slow is known exactly. */
const LIMIT_MS = 250;

const OUTCOMES: Record<Decision, Outcome['decision']> = {
  promote: 'promoted',
  rollback: 'rolled back',
  block: 'undecided',
  continue: 'undecided',
};

/** The judge of this project, with the targets of the scenarios and otherwise its defaults. */
export function lukhas(name: string, designEffect: Partial<Policy['designEffect']>, words: string): Contender {
  const policy = (targets: Policy['targets']) =>
    parsePolicy({ windowSeconds: WINDOW, intervalSeconds: TICK, targets, designEffect });
  const policies = {
    errors: policy({ max_error_rate: TARGETS.errors }),
    latency: policy({ latency_p95_ms: LIMIT_MS }),
  };
  return {
    name,
    settings: `lukhas: alpha ${policies.errors.alpha.rollback}, ticks of ${TICK} s, ${words}`,
    judge: (trial) => judge(policies[trial.signal], trial),
  };
}

function judge(policy: Policy, { signal, canary }: Trial): Outcome {
  const judgement = begin(policy, 0);
  observe(judgement, { v: 1, tick: 0, t: 0, from: 0, canary: { [signal]: { state: 'first' } } });
  for (let at = TICK; at <= WINDOW; at += TICK) {
    const [t, from] = [at * 1000, (at - TICK) * 1000];
    observe(judgement, { v: 1, tick: at / TICK, t, from, canary: reading(signal, between(canary, at - TICK, at)) });
    const { decision } = rule(judgement, t);
    if (decision !== 'continue') return { decision: OUTCOMES[decision], seconds: at };
  }
  return { decision: 'undecided', seconds: WINDOW };
}

function reading(signal: Trial['signal'], { bad, total }: { bad: number; total: number }): ArmReading {
  if (signal === 'errors') return { errors: { state: 'ok', bad, total } };
  return { latency: { state: 'ok', bounds: [LIMIT_MS], counts: [total - bad, bad] } };
}
