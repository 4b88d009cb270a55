import { BaseCommand } from '../cli/base-command.js';
import { refuseOwnFiles } from '../cli/own-files.js';
import { replayFlags } from '../cli/replay-flags.js';
import { systemClock } from '../lib/clock.js';
import { EXIT } from '../lib/errors.js';

const PAGE = {
  what: 'HTML page',
  isOne: (head: Buffer) => /^\s*<!doctype html/i.test(head.toString('latin1')),
  force: null,
};

export default class Replay extends BaseCommand {
  static override summary = 'judge recorded canaries again under another policy';
  static override description =
    'Verifies the log, then judges the recorded observations again with the same judge. ' +
    'Exit code 7 if the log fails verification; with --fail-on-flip, 9 if a decision would change.';
  static override examples = [
    '<%= config.bin %> replay --from 30d --model fraud-v2 --policy configs/slo-prod.json --report replay.html',
    '<%= config.bin %> replay --canary c-m8k2x0 --set targets.max_error_rate=0.05',
    '<%= config.bin %> replay --from 30d --sweep targets.max_error_rate=0.01:0.05:0.005',
  ];
  static override flags = replayFlags;

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Replay);
    const { runReplay } = await import('../cli/run-replay.js');
    const { result, series } = await runReplay(flags, (message) => this.say(message));
    if (flags.report !== undefined) {
      const { loadConfig } = await import('../lib/app/config.js');
      const config = await loadConfig({ flags: { db: flags.db, config: flags.config } });
      await refuseOwnFiles(config, flags.report, '--report');
      const [{ renderReport }, { writeOutput }, { ownerFor }] = await Promise.all([
        import('../lib/replay/report/report.js'),
        import('../lib/files/output-file.js'),
        import('../lib/process/ownership.js'),
      ]);
      const output = { path: flags.report, flag: '--report', kind: PAGE, owner: ownerFor(config.dbPath) };
      const page = renderReport(result, series);
      await writeOutput(output, systemClock().now(), (file) => file.writeFile(page));
    }
    if (flags['fail-on-flip'] && result.totals.flips > 0) process.exitCode = EXIT.flip;
    if (!this.jsonEnabled()) {
      const { presentReplay } = await import('../cli/present-replay.js');
      this.log(presentReplay(result, flags['no-color']));
      if (flags.report !== undefined) this.say(`report: ${flags.report}`);
    }
    return result;
  }
}
