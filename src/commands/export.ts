import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { block } from '../cli/screen.js';
import { LukhasError } from '../lib/errors.js';
import { FAMILIES } from '../lib/ledger/index.js';

export default class Export extends BaseCommand {
  static override summary = 'write an evidence pack that an auditor can check without lukhas';
  static override description =
    'A zip with the log entries of a time window, byte for byte, the proof that none is missing or changed, and VERIFY.md with the commands that check it. Replaces an existing pack completely or not at all.';
  static override examples = [
    '<%= config.bin %> export --from 30d --out ops-evidence.zip',
    '<%= config.bin %> export --from 2026-03-01T00:00:00Z --to 2026-04-01T00:00:00Z --model fraud-v2 --out march.zip',
  ];
  static override flags = {
    from: Flags.string({
      description: 'start of the window, e.g. 30d for the last 30 days',
      helpValue: 'TIME',
      required: true,
    }),
    to: Flags.string({ description: 'end of the window (default: now)', helpValue: 'TIME' }),
    model: Flags.string({
      description: 'only entries about this model, hashes of all others (may be repeated)',
      helpValue: 'MODEL',
      multiple: true,
      multipleNonGreedy: true,
    }),
    include: Flags.option({
      options: FAMILIES,
      description: 'only entries of this kind, hashes of all others (may be repeated)',
      multiple: true,
      multipleNonGreedy: true,
    })(),
    'csv-bom': Flags.boolean({ description: 'start audits.csv with a byte order mark, for Excel' }),
    out: Flags.string({ description: 'file to write', helpValue: 'FILE', required: true }),
    force: Flags.boolean({ description: 'overwrite the file even if it is not an evidence pack' }),
  };

  async run(): Promise<unknown> {
    // Before anything is loaded: once V8 has given new objects more room it keeps it.
    (await import('../cli/small-heap.js')).keepHeapSmall();
    const { flags } = await this.parse(Export);
    if (flags.out === '-')
      throw new LukhasError('USAGE', '--out -: a pack is not written to standard output; name a file', {
        suggestions: ['For a file of that name: --out ./-'],
      });
    const [{ runExport, refuseMissingLog }, { loadConfig }] = await Promise.all([
      import('../cli/run-export.js'),
      import('../lib/app/config.js'),
    ]);
    await refuseMissingLog((await loadConfig({ flags: { db: flags.db, config: flags.config } })).dbPath);
    const app = await this.app(flags, { readOnly: true });
    const { from, to, model, include, out, force, 'csv-bom': csvBom } = flags;
    const summary = await runExport(app, {
      request: { from, to, models: model, include, csvBom },
      out,
      force,
      version: this.config.version,
      say: (message) => this.say(message),
    });
    const { window, size, sha256, counts, keys, cosigned } = summary;
    if (!this.jsonEnabled()) {
      const lines = [
        `${out}  ${size.toLocaleString('en')} bytes`,
        `  entries    ${window.from} to ${window.to} (not included), ${counts.decisions} decisions`,
        `  sha256     ${sha256}`,
        `  signed by  ${keys.export}`,
        ...(cosigned === null ? [] : [`  witnessed  ${cosigned.size} entries, by ${cosigned.by.join(', ')}`]),
      ];
      this.log(block(lines));
    }
    return { file: out, ...summary };
  }
}
