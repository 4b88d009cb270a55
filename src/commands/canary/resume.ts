import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { finish, followToVerdict } from '../../cli/follow.js';
import { parseDuration } from '../../lib/input/index.js';

export default class CanaryResume extends BaseCommand {
  static override summary = 'resume a canary whose driver has stopped, and wait for its verdict';
  static override seeResult = 'lukhas canary list';
  static override description =
    'Continues from the log: no check is judged twice, and an interrupted action is completed. Waits while another process drives the canary.';
  static override args = {
    id: Args.string({ description: 'canary id, or a unique prefix of it', required: true }),
  };
  static override flags = {
    timeout: Flags.string({
      description: 'stop waiting after this time (exit code 8); the canary keeps running',
      helpValue: 'TIME',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(CanaryResume);
    const timeoutSeconds = flags.timeout === undefined ? undefined : parseDuration(flags.timeout, '--timeout');
    const app = await this.app(flags);
    const id = await app.canaries.resolve(args.id);
    const watched = await followToVerdict(app, id, {
      timeoutSeconds,
      quiet: this.jsonEnabled(),
      noColor: flags['no-color'],
    });
    return finish(this, watched, flags['no-color']);
  }
}
