import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { number } from '../../cli/policy-flags.js';
import { block } from '../../cli/screen.js';
import { readPolicy } from '../../lib/app/index.js';
import { EXIT } from '../../lib/errors.js';

export default class PolicyLint extends BaseCommand {
  static override summary = 'check a policy for errors and likely mistakes';
  static override description =
    'Exit code 2 if the policy is invalid or can never promote, 0 if there are only warnings.';
  static override args = { file: Args.string({ description: 'policy file, JSON or YAML', required: true }) };
  static override flags = {
    rps: Flags.string({ description: 'traffic of the canary in requests per second', helpValue: 'RATE' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(PolicyLint);
    const [{ parsePolicy }, { lintPolicy }] = await Promise.all([
      import('../../lib/judge/policy-schema.js'),
      import('../../lib/judge/policy-lint.js'),
    ]);
    const policy = parsePolicy(await readPolicy(args.file), args.file);
    const findings = lintPolicy(
      policy,
      flags.rps === undefined ? {} : { requestsPerSecond: number(flags.rps, '--rps') },
    );
    if (findings.some((f) => f.severity === 'error')) process.exitCode = EXIT.usage;
    if (!this.jsonEnabled()) {
      const end = findings.length === 0 ? `${args.file}: valid` : `${args.file}: valid`;
      this.log(block([...findings.map((f) => `${f.severity}: ${f.path}: ${f.message}`), end]));
    }
    return { policy, findings };
  }
}
