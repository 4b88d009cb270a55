import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { presentCheck } from '../cli/present-smoke.js';
import { environment } from '../lib/app/index.js';
import { EXIT } from '../lib/errors.js';

export default class Smoke extends BaseCommand {
  static override summary = 'check a running server from outside';
  static override description =
    'Checks health, keys, protocol version, order of the tools, search and fetch, a job on the event stream, and evidence export over HTTP. Exit code 0 if nothing failed, otherwise 7.';
  static override examples = [
    '<%= config.bin %> smoke http://127.0.0.1:8766',
    'LUKHAS_API_KEY=... <%= config.bin %> smoke https://lukhas.example.org --json',
  ];
  static override args = { url: Args.string({ description: 'URL of the server', required: true }) };
  static override flags = {
    'key-env': Flags.string({
      description: 'environment variable with the API key',
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
