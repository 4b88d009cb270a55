import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { EXIT } from '../lib/errors.js';

export default class Verify extends BaseCommand {
  static override summary = 'verify the log, an evidence pack, or the proof of one entry';
  static override description =
    'Without a file: recomputes every hash of the database, names the first bad entry, and compares with the stored checkpoints. With a pack or proof: verifies it offline, with code that shares nothing with what wrote it, and lists what was not checked. Exit code 7 if verification fails or something you required could not be shown.';
  static override examples = [
    '<%= config.bin %> verify --db .lukhas/lukhas.db',
    '<%= config.bin %> verify --since checkpoint-of-march --trust log.vkey',
    '<%= config.bin %> verify ops-evidence.zip --trust log.vkey --trust export.pub',
    '<%= config.bin %> verify decision.tlog-proof --trust log.vkey',
  ];
  static override args = {
    pack: Args.string({ description: 'evidence pack or .tlog-proof (default: the database)' }),
  };
  static override flags = {
    'expect-root': Flags.string({ description: 'root hash that the log must have', helpValue: 'HEX' }),
    trust: Flags.string({
      description: 'file of trusted public keys: vkey, allowed_signers, OpenSSH or PEM (may be repeated)',
      helpValue: 'FILE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    since: Flags.string({
      description: 'earlier checkpoint, stored elsewhere, that the log must extend',
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
