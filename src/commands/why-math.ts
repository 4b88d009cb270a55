import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base-command.js';
import { notKnown } from '../cli/not-known.js';
import { ERRORS, EXIT } from '../lib/errors.js';
import { parseInstant } from '../lib/input/index.js';

/** What stands as the decision of a job. */
const JOB_STATES: ReadonlySet<string> = new Set(['queued', 'running', 'completed', 'failed']);

export default class WhyMath extends BaseCommand {
  static override aliases = ['canary:why-math'];
  static override summary = 'show the numbers behind a decision, and recompute them';
  static override description =
    'Thresholds, observations, bounds, evidence, decision logic and time to action. Judges the recorded observations again: exit code 7 if that does not give the recorded verdict, 2 if the name is not found.';
  static override examples = ['<%= config.bin %> why-math c-m8k2x0', '<%= config.bin %> why-math c-m8k2x0 --json'];
  static override args = {
    id: Args.string({
      description: 'canary or job id, a unique prefix of one, or a model (its newest canary)',
      required: true,
    }),
  };
  static override flags = {
    at: Flags.string({ description: 'as of this time: RFC 3339, or how long ago, e.g. 2h', helpValue: 'TIME' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(WhyMath);
    const app = await this.app(flags, { readOnly: true });
    const { whyMath } = await import('../lib/app/explanations.js');
    const at = flags.at === undefined ? undefined : parseInstant(flags.at, app.clock.now(), '--at');
    const math = await whyMath(app, args.id, { at });
    if (math.decision === 'unknown') {
      if (!this.jsonEnabled()) throw notKnown(math.why);
      process.exitCode = ERRORS.NOT_FOUND.exit;
    } else if (!this.jsonEnabled()) {
      if (JOB_STATES.has(math.decision)) {
        const { presentJobMath } = await import('../cli/present-job.js');
        this.log(presentJobMath(math));
      } else {
        const { presentMath } = await import('../cli/present-math.js');
        this.log(presentMath(math, process.stdout, flags['no-color']));
      }
    }
    if (math.check?.status === 'differs') {
      process.exitCode = EXIT.verification;
      this.say(`lukhas: ${math.id}: ${math.check.says}`);
    }
    return math;
  }
}
