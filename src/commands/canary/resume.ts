import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { finish, followToVerdict } from '../../cli/follow.js';
import { parseDuration } from '../../lib/input/index.js';

export default class CanaryResume extends BaseCommand {
  static override summary = 'go on with a canary whose driver is gone, to its verdict';
  static override description =
    'Continues from the log: no look is judged twice, and an action that was begun is finished. Waits while another driver holds it.';
  static override args = {
    id: Args.string({ description: 'canary, or a unique beginning of its id', required: true }),
  };
  static override flags = {
    timeout: Flags.string({
      description: 'stop waiting after this time: exit code 8, the canary goes on',
      helpValue: 'TIME',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(CanaryResume);
    const timeoutSeconds = flags.timeout === undefined ? undefined : parseDuration(flags.timeout, '--timeout');
    const app = await this.app(flags);
    const id = await app.canaries.resolve(args.id);
    const watched = await followToVerdict(app, id, { timeoutSeconds, quiet: this.jsonEnabled() });
    return finish(this, watched, flags['no-color']);
  }
}
