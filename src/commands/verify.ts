import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { EXIT } from '../lib/errors.js';

export default class Verify extends BaseCommand {
  static override summary = 'check the log in place, an evidence pack, or the proof of one entry';
  static override description =
    'Without a file it reads the database, recomputes every hash, names the first bad entry, and compares with the checkpoints kept beside it. A pack or proof is checked without a network and without the code that wrote it; what could not be checked is said. Exit code 7 when something does not hold, or was asked for and could not be shown.';
  static override examples = [
    '<%= config.bin %> verify --db .lukhas/lukhas.db',
    '<%= config.bin %> verify --since checkpoint-of-march --trust log.vkey',
    '<%= config.bin %> verify ops-evidence.zip --trust log.vkey --trust export.pub',
    '<%= config.bin %> verify decision.tlog-proof --trust log.vkey',
  ];
  static override args = {
    pack: Args.string({ description: 'an evidence pack, or a .tlog-proof (default: the database)' }),
  };
  static override flags = {
    'expect-root': Flags.string({ description: 'the log must have this root', helpValue: 'HEX' }),
    trust: Flags.string({
      description: 'public keys that you trust: vkey, allowed_signers, OpenSSH or PEM (may be repeated)',
      helpValue: 'FILE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    since: Flags.string({
      description: 'an earlier checkpoint, kept elsewhere: the log must go on from it',
      helpValue: 'CHECKPOINT',
    }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Verify);
    const { runVerify } = await import('../cli/run-verify.js');
    const { ok, text, json } = await runVerify(args.pack, flags);
    if (!ok) process.exitCode = EXIT.verification;
    if (!this.jsonEnabled()) this.log(text);
    return json;
  }
}
