import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { EXIT, LukhasError } from '../lib/errors.js';
import { quote } from '../lib/input/problems.js';

export default class Verify extends BaseCommand {
  static override summary = 'check the log in place: recompute every hash and name the first bad entry';
  static override description =
    'Reads the database with code of its own, not the code that wrote it. Exit code 7 when it does not hold.';
  static override examples = ['<%= config.bin %> verify --db .lukhas/lukhas.db'];
  static override flags = {
    'expect-root': Flags.string({ description: 'the log must have this root', helpValue: 'HEX' }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Verify);
    const expected = flags['expect-root'] === undefined ? null : rootHash(flags['expect-root']);
    const [{ loadConfig }, { verifyAll }] = await Promise.all([
      import('../lib/runtime/config.js'),
      import('../lib/runtime/verification.js'),
    ]);
    const { dbPath } = await loadConfig({ flags: { db: flags.db, config: flags.config } });
    const report = await verifyAll(dbPath);
    const rootMatches = expected === null || expected === report.root;
    const ok = report.ok && rootMatches;
    if (!ok) process.exitCode = EXIT.verification;
    if (!this.jsonEnabled()) {
      this.log(`${ok ? 'holds' : 'DOES NOT HOLD'}: ${dbPath}`);
      this.log(`  entries  ${report.size}`);
      this.log(`  root     ${report.root}`);
      if (report.firstBad) this.log(`  first bad entry  ${report.firstBad.seq}: ${report.firstBad.what}`);
      for (const problem of report.problems) this.log(`  problem  ${problem}`);
      if (!rootMatches) this.log(`  problem  the root is not the one expected`);
      for (const left of report.notChecked) this.log(`  not checked  ${left}`);
    }
    return { ...report, ok, db: dbPath };
  }
}

/** @throws LukhasError USAGE */
function rootHash(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new LukhasError('USAGE', `--expect-root: a root is 64 hexadecimal digits, not ${quote(text)}`, {
    suggestions: ['Copy the root that an earlier lukhas verify printed.'],
  });
}
