import { Flags } from '@oclif/core';
import { advice } from '../../cli/advice.js';
import { BaseCommand } from '../../cli/base-command.js';
import { isUnreviewed } from '../../cli/unreviewed.js';
import { CANARY_STATES } from '../../lib/ledger/index.js';

export default class CanaryList extends BaseCommand {
  static override summary = 'list canaries, newest first';
  static override flags = {
    state: Flags.string({
      description: 'only this state (may be repeated)',
      options: CANARY_STATES,
      multiple: true,
    }),
    model: Flags.string({ description: 'only this model', helpValue: 'MODEL' }),
    limit: Flags.integer({ description: 'maximum number of results', default: 50, min: 1, max: 10_000 }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(CanaryList);
    const app = await this.app(flags, { readOnly: true });
    const { summaries, warning } = await app.canaries.listing({
      limit: flags.limit,
      ...(flags.state ? { states: flags.state } : {}),
      ...(flags.model === undefined ? {} : { modelId: flags.model }),
    });
    if (warning !== null) this.say(`warning: ${warning}`);
    // What nobody has reviewed yet comes first, of those that are listed.
    summaries.sort((a, b) => Number(isUnreviewed(b)) - Number(isUnreviewed(a)));
    const canaries = summaries.map(({ subject, modelId, state, createdAt, updatedAt, data }) => ({
      canaryId: subject,
      modelId,
      status: state,
      createdAt,
      updatedAt,
      ...data,
    }));
    if (!this.jsonEnabled()) {
      // What judges and draws: nothing that a program reads needs it.
      const { presentList } = await import('../../cli/watching/list.js');
      const { shown, unjudged } = await presentList(app, summaries, flags['no-color']);
      this.log(shown);
      if (unjudged > 0)
        this.say(
          `${unjudged} running canaries are shown without their numbers, which take long to read: lukhas watch --once`,
        );
    }
    return { canaries, ...(warning === null ? {} : { warning: advice(warning) }) };
  }
}
