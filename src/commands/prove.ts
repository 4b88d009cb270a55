import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { refuseOwnFiles } from '../cli/own-files.js';
import { printData } from '../cli/screen.js';

const PROOF = {
  what: 'proof',
  isOne: (head: Buffer) => head.toString('latin1').startsWith('c2sp.org/tlog-proof@'),
  force: null,
};

export default class Prove extends BaseCommand {
  static override summary = 'write a proof that one entry, such as a decision, is in the log';
  static override description =
    'Writes a C2SP tlog-proof: the recorded entry, its path in the Merkle tree, and a checkpoint signed with the log key. `lukhas verify` checks it without the log.';
  static override examples = [
    '<%= config.bin %> prove c-mwrmfv3i1f6838 --out decision.tlog-proof',
    '<%= config.bin %> prove 41 > entry-41.tlog-proof',
  ];
  static override args = {
    event: Args.string({ description: 'entry number, or a canary id for its latest decision', required: true }),
  };
  static override flags = {
    out: Flags.string({ description: 'file to write (default: standard output)', helpValue: 'FILE' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Prove);
    const app = await this.app(flags, { readOnly: true });
    if (flags.out !== undefined) await refuseOwnFiles(app.config, flags.out, '--out');
    const { proveEntry } = await import('../lib/app/evidence/prove.js');
    const { proof, ...about } = await proveEntry(app, args.event);
    const { seq, kind, subject, size } = about;
    if (flags.out !== undefined) {
      const [{ writeOutput }, { ownerFor }] = await Promise.all([
        import('../lib/files/output-file.js'),
        import('../lib/process/ownership.js'),
      ]);
      const owner = ownerFor(app.config.dbPath);
      const output = { path: flags.out, flag: '--out', kind: PROOF, owner };
      await writeOutput(output, app.clock.now(), (file) => file.writeFile(proof));
    } else if (!this.jsonEnabled()) printData(proof);
    this.say(`entry ${seq} (${kind} of ${subject}) of ${size}${flags.out === undefined ? '' : `  ${flags.out}`}`);
    return { ...about, proof, file: flags.out ?? null };
  }
}
