import { canAsk } from '../cli/ask.js';
import { BaseCommand } from '../cli/base-command.js';
import { initFlags } from '../cli/init-flags.js';
import { presentFiles, presentNext } from '../cli/present-init.js';

export default class Init extends BaseCommand {
  static override summary = 'write lukhas.yaml and slo.yaml for your service, from what its metrics show';
  static override description =
    'Reads a metrics page or a Prometheus, finds requests, failures, latency and what tells versions apart, measures the traffic, and prints the next command.';
  static override examples = [
    '<%= config.bin %> init --url http://127.0.0.1:8080/metrics',
    '<%= config.bin %> init --prom-url http://127.0.0.1:9090 --selector \'{job="fraud"}\'',
  ];
  static override flags = initFlags;

  async run(): Promise<unknown> {
    const { flags } = await this.parse(Init);
    const { runInit } = await import('../cli/run-init.js');
    const asks = !flags.yes && !this.jsonEnabled() && canAsk();
    const say = (line: string): void => this.say(line);
    const done = await runInit({ flags, asks, say, show: (text) => this.log(text), now: Date.now });
    if (flags['dry-run']) this.log(presentFiles(done));
    else this.log(presentNext(done));
    const { files, written, found, plan, next } = done;
    return { files, written, found, plan, next };
  }
}
