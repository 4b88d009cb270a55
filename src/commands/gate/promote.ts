import { Args, Flags } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { interruptible } from '../../cli/interrupt.js';
import { exitCodeIsOutcome } from '../../cli/output.js';
import { block } from '../../cli/screen.js';
import type { App } from '../../lib/app/index.js';
import { EXIT } from '../../lib/errors.js';
import type { PromotionResult } from '../../lib/gates/index.js';

export default class GatePromote extends BaseCommand {
  static override summary = 'promote a model to a gate on the evidence of an earlier canary';
  static override seeResult = 'lukhas gate list';
  static override description =
    "Calls the promote hooks and makes the model the current holder of the gate. Exit code 2 if the model's newest canary for this gate did not prove it. Does nothing if the model already holds the gate; completes an interrupted promotion.";
  static override examples = ['<%= config.bin %> gate promote fraud-v2 production --dry-run'];
  static override args = {
    model: Args.string({ description: 'the model', required: true }),
    gate: Args.string({ description: 'the gate', required: true }),
  };
  static override flags = {
    'dry-run': Flags.boolean({ description: 'report what would happen; call no hook, write nothing' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(GatePromote);
    const app = await this.app(flags);
    const { interrupted, result } = await untilInterrupted(app, {
      modelId: args.model,
      gate: args.gate,
      dryRun: flags['dry-run'],
    });
    process.exitCode = interrupted ?? (await exitOf(app, result));
    exitCodeIsOutcome();
    const { modelId, gate, reason, promoted } = result;
    if (!this.jsonEnabled()) {
      const head = flags['dry-run'] ? 'dry run: ' : promoted ? '' : 'NOT promoted: ';
      this.log(block([`${head}${modelId} to ${gate}: ${reason}`]));
    }
    return { ...result, exit: process.exitCode };
  }
}

/** Ctrl-C stops the hook that runs; the promotion stays open, and the next request goes on with it. */
function untilInterrupted(app: App, asked: { modelId: string; gate: string; dryRun: boolean }) {
  return interruptible(async (interrupt) => {
    interrupt.signal.addEventListener('abort', () => void app.promotions.close(interrupt.signal.reason));
    const waitMs = Number.POSITIVE_INFINITY;
    const result = await app.promotions.promote({ ...asked, by: app.config.actor, waitMs });
    return { interrupted: result.promoted ? null : interrupt.exit, result };
  });
}

async function exitOf(app: App, { dryRun, changed, promoted, promotionId }: PromotionResult): Promise<number> {
  if (promoted || (dryRun && changed)) return EXIT.done;
  if (dryRun || promotionId === null) return EXIT.usage;
  const { result } = await app.promotions.get(promotionId);
  return result === null ? EXIT.timeout : EXIT.hookFailed;
}
