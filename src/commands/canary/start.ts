import { Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { finish, followToVerdict } from '../../cli/follow.js';
import { resultSeenWith } from '../../cli/output.js';
import { policyFlags, policyFromFlags } from '../../cli/policy-flags.js';
import { firstLookLines } from '../../cli/present-first-look.js';
import { sourceFromFlags } from '../../cli/source-flags.js';
import { canaryJson, startCanary } from '../../lib/app/index.js';
import { EXIT, LukhasError } from '../../lib/errors.js';
import { parseDuration } from '../../lib/input/index.js';

export default class CanaryStart extends BaseCommand {
  static override summary = 'start a canary and wait for its verdict';
  static override seeResult = 'lukhas canary list';
  static override description =
    'Runs in the foreground until the verdict. Exit code 0: promoted, 3: rolled back, 4: blocked, 6: source unreachable. Nothing is recorded if the source does not answer at the start.';
  static override examples = [
    '<%= config.bin %> canary start --model fraud-v2 --from stage --to production --policy policy.yaml',
    '<%= config.bin %> canary start --model fraud-v2 --from stage --to production --max-error-rate 0.02 --latency-p95-ms 250 --window 120s --canary-url http://127.0.0.1:9101/metrics --baseline-url http://127.0.0.1:9102/metrics',
    'cat observations.ndjson | <%= config.bin %> canary start --model fraud-v2 --from stage --to production --policy policy.yaml --source ndjson --input -',
  ];

  static override flags = {
    model: Flags.string({ description: 'model version under test', helpValue: 'MODEL', required: true }),
    from: Flags.string({ description: 'gate that the model is in now', helpValue: 'GATE', required: true }),
    to: Flags.string({ description: 'gate to promote it to', helpValue: 'GATE', required: true }),
    ...policyFlags,
    source: Flags.string({
      description: 'source of the measurements: prometheus, scrape or ndjson',
      helpValue: 'KIND',
    }),
    'prom-url': Flags.string({ description: 'URL of Prometheus (or set PROM_URL)', helpValue: 'URL' }),
    'canary-url': Flags.string({ description: 'metrics page of the canary', helpValue: 'URL' }),
    'baseline-url': Flags.string({ description: 'metrics page of the baseline', helpValue: 'URL' }),
    'canary-label': Flags.string({
      description: "label that selects the canary's series (may be repeated)",
      helpValue: 'NAME=VALUE',
      multiple: true,
    }),
    'baseline-label': Flags.string({
      description: "label that selects the baseline's series (may be repeated)",
      helpValue: 'NAME=VALUE',
      multiple: true,
    }),
    input: Flags.string({ description: 'NDJSON file of observations; - reads standard input', helpValue: 'FILE' }),
    detach: Flags.boolean({
      description: 'return immediately; `lukhas serve` or `lukhas canary resume` drives the canary',
      exclusive: ['wait', 'timeout'],
    }),
    wait: Flags.boolean({ description: 'wait for the verdict (default)' }),
    timeout: Flags.string({
      description: 'stop waiting after this time (exit code 8); the canary keeps running',
      helpValue: 'TIME',
    }),
    'allow-missing': Flags.boolean({
      default: false,
      description:
        'start although the preflight check finds no series of a signal, or nothing answers: they come later',
    }),
    'allow-shared-series': Flags.boolean({
      default: false,
      description: 'start although an open canary reads the same series (recorded)',
    }),
    'dry-run': Flags.boolean({
      default: false,
      description: 'check and judge the whole window, but call no hook and change no gate',
    }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(CanaryStart);
    const timeoutSeconds = flags.timeout === undefined ? undefined : parseDuration(flags.timeout, '--timeout');
    const app = await this.app(flags);
    const source = sourceFromFlags(flags, app.config);
    if (flags.detach && source.kind === 'ndjson')
      throw new LukhasError(
        'USAGE',
        '--detach cannot be used with --source ndjson: this command has to stay to read the input.',
      );
    const policy = await policyFromFlags(flags, app.config.policyPath, (line) => this.say(line));
    const { canary, firstLook, warnings } = await startCanary(app, {
      modelId: flags.model,
      fromGate: flags.from,
      toGate: flags.to,
      policy,
      source,
      dryRun: flags['dry-run'],
      by: app.config.actor,
      allowMissing: flags['allow-missing'],
      allowSharedSeries: flags['allow-shared-series'],
    });
    for (const line of firstLookLines(firstLook)) this.say(line);
    for (const warning of warnings) this.say(`warning: ${warning}`);
    resultSeenWith(`lukhas canary status ${canary.id}`);
    if (flags.detach) {
      this.say(`started ${canary.id}; a running \`lukhas serve\` drives it, or run: lukhas canary resume ${canary.id}`);
      if (!this.jsonEnabled()) this.log(canary.id);
      // What was asked for is done: how the canary ends is not this command's to say.
      return { ...canaryJson(canary), firstLook, exit: EXIT.done };
    }
    const dry = flags['dry-run'] ? ' (dry run: judged to its verdict; no hook is called, no gate changes)' : '';
    this.say(`started ${canary.id}: ${flags.model} from ${flags.from} to ${flags.to}${dry}`);
    const watched = await followToVerdict(app, canary.id, {
      timeoutSeconds,
      quiet: this.jsonEnabled(),
      noColor: flags['no-color'],
    });
    return { ...(finish(this, watched, flags['no-color']) as object), firstLook };
  }
}
