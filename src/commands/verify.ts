import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { EXIT } from '../lib/errors.js';

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
    const [{ loadConfig }, { verifyDatabase }] = await Promise.all([
      import('../lib/runtime/config.js'),
      import('../lib/ledger/verify.js'),
    ]);
    const { dbPath } = await loadConfig({ flags: { db: flags.db, config: flags.config } });
    const report = await verifyDatabase(dbPath);
    const rootMatches = flags['expect-root'] === undefined || flags['expect-root'].toLowerCase() === report.root;
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
