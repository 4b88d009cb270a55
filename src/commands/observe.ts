import { existsSync } from 'node:fs';
import { Args } from '@oclif/core';
import { shellWord } from '../cli/advice.js';
import { BaseCommand } from '../cli/base-command.js';
import { observeFlags, observeOptions } from '../cli/observe-flags.js';
import { LukhasError } from '../lib/errors.js';
import { plural } from '../lib/explain/index.js';

export default class Observe extends BaseCommand {
  static override summary = 'turn past requests (CSV or NDJSON, one a line) into observations';
  static override description =
    'Counts requests, failures, latencies and scores in steps of --every, for `lukhas replay --input` and `lukhas canary start --source ndjson --input`.';
  static override examples = [
    '<%= config.bin %> observe requests.csv --every 5s --canary v2 --baseline v1 --out observations.ndjson',
    'zcat requests.ndjson.gz | <%= config.bin %> observe - --every 10s --buckets 50,100,250,500',
  ];
  static override args = {
    file: Args.string({ description: 'CSV with a header, or NDJSON; - reads standard input', required: true }),
  };
  static override flags = observeFlags;

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(Observe);
    const out = flags.out ?? null;
    if (out === null && this.jsonEnabled())
      throw new LukhasError('USAGE', '--json needs --out FILE: otherwise the observations are the output.');
    const options = observeOptions(flags, args.file === '-' ? 'stdin' : args.file);
    const { runObserve } = await import('../cli/run-observe.js');
    const summary = await runObserve({ input: args.file, options, out, now: Date.now() });
    const { observations, requests, failed, others, skipped, firstSkipped, doubts } = summary;
    const arm = (name: 'canary' | 'baseline') =>
      `${name} ${requests[name].toLocaleString('en')} requests, ${failed[name].toLocaleString('en')} failed`;
    const arms = options.baseline === null ? arm('canary') : `${arm('canary')}; ${arm('baseline')}`;
    this.say(`${plural(observations, 'observation')} of ${flags.every}: ${arms}`);
    if (others > 0) this.say(`${others.toLocaleString('en')} requests of other versions, not counted`);
    if (skipped > 0) this.say(`${skipped.toLocaleString('en')} rows left out, the first: ${firstSkipped}`);
    for (const doubt of doubts) this.say(`check: ${doubt}`);
    if (out !== null) {
      const next = `lukhas replay --input ${shellWord(out)} --policy slo.yaml`;
      this.say(
        existsSync('slo.yaml') ? `next: ${next}` : `write your targets to slo.yaml (docs/policy.md), then: ${next}`,
      );
    }
    return { ...summary, out };
  }
}
