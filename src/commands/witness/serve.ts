import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';

export default class WitnessServe extends BaseCommand {
  static override summary = 'run a witness that cosigns checkpoints of append-only logs';
  static override description =
    'Serves C2SP tlog-witness (POST /add-checkpoint) until SIGINT or SIGTERM. Refuses every checkpoint that does not extend the last one it cosigned. Run it where the operator of the log has no access.';
  static override examples = [
    '<%= config.bin %> witness serve --db-dir /var/lib/lukhas-witness --log log.vkey --listen 127.0.0.1:8780',
  ];
  // Standard output stays empty.
  static override enableJsonFlag = false;
  static override flags = {
    'db-dir': Flags.string({
      description: 'folder of the witness, created by `witness key`',
      helpValue: 'DIR',
      required: true,
    }),
    log: Flags.string({
      description: 'file with the vkeys of the logs to watch, from `lukhas keys show --form vkey` (may be repeated)',
      helpValue: 'FILE',
      required: true,
      multiple: true,
      multipleNonGreedy: true,
    }),
    listen: Flags.string({
      description: 'address to listen on; port 0 for any free port',
      helpValue: 'HOST:PORT',
      default: '127.0.0.1:8780',
    }),
    'allowed-host': Flags.string({
      description: 'host name that requests may use, e.g. of a reverse proxy (may be repeated)',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(WitnessServe);
    const { runWitness } = await import('../../cli/run-witness.js');
    process.exitCode = await runWitness({
      folder: flags['db-dir'],
      logs: flags.log,
      listen: flags.listen,
      allowedHosts: flags['allowed-host'] ?? [],
      say: (line) => this.say(line),
    });
  }
}
