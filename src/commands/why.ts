import { Args, Flags } from '@oclif/core';
import { advised } from '../cli/advice.js';
import { BaseCommand } from '../cli/base-command.js';
import { notKnown } from '../cli/not-known.js';
import { ERRORS } from '../lib/errors.js';
import { narrativeMarkdown, narrativeText } from '../lib/explain/index.js';
import { parseInstant } from '../lib/input/index.js';

export default class Why extends BaseCommand {
  static override aliases = ['canary:why'];
  static override summary = 'explain what happened to a canary, a job or a model, and why';
  static override description =
    'Answers from the log: who requested what, what was measured, what decided it and how certain that is, what was done, which data was missing. Exit code 2 if the name is not found.';
  static override examples = [
    '<%= config.bin %> why c-m8k2x0',
    '<%= config.bin %> why fraud-v2 --format md > why.md',
    '<%= config.bin %> why c-m8k2x0 --at 2026-03-01T12:00:00Z',
  ];
  static override args = {
    id: Args.string({ description: 'canary or job id, a unique prefix of one, or a model', required: true }),
  };
  static override flags = {
    at: Flags.string({ description: 'as of this time: RFC 3339, or how long ago, e.g. 2h', helpValue: 'TIME' }),
    format: Flags.string({ description: 'plain text or Markdown', options: ['text', 'md'], default: 'text' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Why);
    const app = await this.app(flags, { readOnly: true });
    const { why } = await import('../lib/app/explanations.js');
    const at = flags.at === undefined ? undefined : parseInstant(flags.at, app.clock.now(), '--at');
    const narrative = await why(app, args.id, { at });
    const inWords = flags.format === 'md' ? narrativeMarkdown : narrativeText;
    if (narrative.about === 'unknown') {
      if (!this.jsonEnabled()) throw notKnown(narrative.title);
      process.exitCode = ERRORS.NOT_FOUND.exit;
    } else if (process.stdout.isTTY && flags.format === 'text' && !this.jsonEnabled()) {
      const { presentNarrative } = await import('../cli/present-narrative.js');
      this.log(presentNarrative(advised(narrative), process.stdout, flags['no-color']));
    } else this.log(inWords(advised(narrative)));
    return { ...narrative, text: inWords(narrative) };
  }
}
