import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';

export default class Checkpoint extends BaseCommand {
  static override summary = 'sign the log as it is now, and tell witnesses and anchors';
  static override description =
    'Keeps every checkpoint in checkpoints/ beside the database, and refuses to sign a log that does not contain what was signed before (exit code 7), or with another key than signed it (2). The daemon does the same every hour and when it stops.';
  static override examples = [
    '<%= config.bin %> checkpoint',
    '<%= config.bin %> checkpoint --out checkpoint',
    '<%= config.bin %> checkpoint --anchor file:/mnt/audit/lukhas.ndjson',
    '<%= config.bin %> checkpoint --witness https://witness.example.com --witness-key witness.vkey',
  ];
  static override flags = {
    'old-key': Flags.string({
      description: 'the log key that the present one takes the place of: signs it, too',
      helpValue: 'FILE',
    }),
    out: Flags.string({ description: 'write the signed checkpoint to this file, too', helpValue: 'FILE' }),
    witness: Flags.string({
      description: 'have this witness cosign it, instead of those configured; may be repeated',
      helpValue: 'URL',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'witness-key': Flags.string({
      description: 'vkeys of the witnesses, one a line, in their order',
      helpValue: 'FILE',
      dependsOn: ['witness'],
    }),
    anchor: Flags.string({
      description: 'tell it to file:PATH, git:FOLDER or webhook:URL, instead of those configured; may be repeated',
      helpValue: 'KIND:PLACE',
      multiple: true,
      multipleNonGreedy: true,
    }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Checkpoint);
    const app = await this.app(flags, { readOnly: true });
    const { runCheckpoint } = await import('../cli/run-checkpoint.js');
    const result = await runCheckpoint(app, flags);
    if (result.exit !== 0) process.exitCode = result.exit;
    if (!this.jsonEnabled()) this.log(result.text);
    return result.json;
  }
}
