import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { presentDoctorCheck } from '../cli/present-doctor.js';

export default class Doctor extends BaseCommand {
  static override summary = 'check the set-up: configuration, source, database, clock, keys, hooks, daemon';
  static override description =
    'Writes nothing and calls no hook. Exit code 0 if nothing failed, otherwise that of the first failure: 2 configuration, 6 source, 7 database or checkpoints.';
  static override examples = [
    '<%= config.bin %> doctor',
    '<%= config.bin %> doctor --model fraud-v2 --from stage --to production --policy policy.yaml',
    '<%= config.bin %> doctor --json',
  ];
  static override flags = {
    model: Flags.string({ description: 'model version of the canary to come', helpValue: 'MODEL' }),
    from: Flags.string({ description: 'gate that it is in now', helpValue: 'GATE' }),
    to: Flags.string({ description: 'gate to promote it to', helpValue: 'GATE' }),
    policy: Flags.string({ description: 'policy file, JSON or YAML', helpValue: 'FILE' }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Doctor);
    const { doctor } = await import('../lib/app/doctor/doctor.js');
    const report = await doctor({
      flags: { db: flags.db, config: flags.config },
      canary: { modelId: flags.model, fromGate: flags.from, toGate: flags.to },
      policy: flags.policy,
      version: this.config.version,
      onCheck: (check) => {
        if (!this.jsonEnabled()) this.log(presentDoctorCheck(check, flags['no-color']));
      },
    });
    process.exitCode = report.exit;
    const counted = (state: string) => report.checks.filter((check) => check.state === state).length;
    if (!this.jsonEnabled()) this.log(`${counted('ok')} ok, ${counted('warn')} to look at, ${counted('fail')} failed`);
    return report;
  }
}
