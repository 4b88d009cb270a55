import { devNull } from 'node:os';
import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { number, policyFlags, policyFromFlags } from '../cli/policy-flags.js';
import { presentPlan } from '../cli/present-plan.js';
import { LukhasError } from '../lib/errors.js';

/** Far above any traffic there is; beyond it counts are no longer exact. */
const MOST_RPS = 1e9;

export default class Plan extends BaseCommand {
  static override summary = 'check whether your traffic is enough for a policy, and how long a verdict takes';
  static override examples = [
    '<%= config.bin %> plan --rps 20 --max-error-rate 0.02 --latency-p95-ms 250 --window 120s',
  ];
  static override flags = {
    ...policyFlags,
    rps: Flags.string({
      description: 'traffic of the canary in requests per second',
      helpValue: 'RATE',
      required: true,
    }),
    'expected-error-rate': Flags.string({
      description: 'expected error rate of a healthy canary (default: half of the limit)',
      helpValue: 'RATE',
    }),
    'expected-slow-rate': Flags.string({
      description: 'expected share of requests over the latency limit (default: half of what is allowed)',
      helpValue: 'RATE',
    }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Plan);
    const { loadConfig } = await import('../lib/app/config.js');
    // It opens no database: where one would be does not matter, not even that the working directory was deleted.
    const config = await loadConfig({ flags: { db: flags.db ?? devNull, config: flags.config } });
    const policy = await policyFromFlags(flags, config.policyPath, (line) => this.say(line));
    const requestsPerSecond = number(flags.rps, '--rps');
    if (requestsPerSecond <= 0 || requestsPerSecond > MOST_RPS)
      throw new LukhasError('USAGE', `--rps ${flags.rps}: must be greater than 0 and at most ${MOST_RPS}`);
    const { planPolicy } = await import('../lib/judge/plan.js');
    const plan = planPolicy(policy, { requestsPerSecond, expected: expected(flags) });
    if (!this.jsonEnabled()) this.log(presentPlan(plan));
    return plan;
  }
}

function expected(flags: Record<string, unknown>): { errorRate?: number; slowRate?: number } {
  const share = (flag: string): number | undefined => {
    const text = flags[flag];
    if (typeof text !== 'string') return undefined;
    const value = number(text, `--${flag}`);
    if (value < 0 || value >= 1)
      throw new LukhasError('USAGE', `--${flag} ${text}: must be at least 0 and less than 1`);
    return value;
  };
  const errorRate = share('expected-error-rate');
  const slowRate = share('expected-slow-rate');
  return { ...(errorRate === undefined ? {} : { errorRate }), ...(slowRate === undefined ? {} : { slowRate }) };
}
