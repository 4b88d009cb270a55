import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { presentCheck } from '../cli/present-smoke.js';
import { environment } from '../lib/app/index.js';
import { EXIT } from '../lib/errors.js';

export default class Smoke extends BaseCommand {
  static override summary = 'check a running server from outside';
  static override description =
    'Health, keys, protocol version, order of the tools, search and fetch, a job on the event stream, evidence export: what callers rely on, as they see it. Exit code 0 when nothing failed, 7 otherwise.';
  static override examples = [
    '<%= config.bin %> smoke http://127.0.0.1:8766',
    'LUKHAS_API_KEY=... <%= config.bin %> smoke https://lukhas.example.org --json',
  ];
  static override args = { url: Args.string({ description: 'where the server is', required: true }) };
  static override flags = {
    'key-env': Flags.string({
      description: 'environment variable that holds the key to call it with',
      default: 'LUKHAS_API_KEY',
      helpValue: 'NAME',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Smoke);
    const { smoke } = await import('../lib/smoke/smoke.js');
    const report = await smoke(args.url, {
      key: environment()[flags['key-env']] || null,
      onCheck: (result) => {
        if (!this.jsonEnabled()) this.log(presentCheck(result, flags['no-color']));
      },
    });
    const counted = (state: string) => report.checks.filter((each) => each.state === state).length;
    if (!report.ok) process.exitCode = EXIT.verification;
    if (!this.jsonEnabled())
      this.log(`${counted('passed')} passed, ${counted('failed')} failed, ${counted('skipped')} skipped`);
    return report;
  }
}
