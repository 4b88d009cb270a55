import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';

export default class Checkpoint extends BaseCommand {
  static override summary = 'sign the current state of the log and publish it to witnesses and anchors';
  static override description =
    'Stores every checkpoint in checkpoints/ next to the database. Refuses to sign a log that does not contain the last signed state (exit code 7), or with a different key (exit code 2). The daemon does this every hour and when it stops.';
  static override examples = [
    '<%= config.bin %> checkpoint',
    '<%= config.bin %> checkpoint --out checkpoint',
    '<%= config.bin %> checkpoint --anchor file:/mnt/audit/lukhas.ndjson',
    '<%= config.bin %> checkpoint --witness https://witness.example.com --witness-key witness.vkey',
  ];
  static override flags = {
    'old-key': Flags.string({
      description: 'previous log key, when the key is rotated: both keys sign',
      helpValue: 'FILE',
    }),
    out: Flags.string({ description: 'also write the signed checkpoint to this file', helpValue: 'FILE' }),
    witness: Flags.string({
      description: 'witness to cosign it, instead of the configured ones (may be repeated)',
      helpValue: 'URL',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'witness-key': Flags.string({
      description: "file with the witnesses' vkeys, one per line, in the same order",
      helpValue: 'FILE',
      dependsOn: ['witness'],
    }),
    anchor: Flags.string({
      description:
        'publish to file:PATH, git:FOLDER or webhook:URL, instead of the configured anchors (may be repeated)',
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
