import { Args } from '@oclif/core';
import { BaseCommand } from '../../cli/base-command.js';
import { table } from '../../cli/table.js';

export default class GateHistory extends BaseCommand {
  static override summary = 'list every model that has held a gate, oldest first';
  static override args = { gate: Args.string({ description: 'the gate', required: true }) };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(GateHistory);
    const app = await this.app(flags, { readOnly: true });
    const [{ gateHistory }, { withPromotions }] = await Promise.all([
      import('../../lib/gates/registry.js'),
      import('../../lib/gates/promotion-change.js'),
    ]);
    const changes = (await gateHistory(app.ledger, args.gate)).map((change) => ({ ...change, gate: args.gate }));
    const history = await withPromotions(app.ledger, changes);
    if (!this.jsonEnabled()) {
      const rows = history.map((h) => [
        h.ts,
        h.modelId,
        h.previous ?? '',
        h.canaryId ?? '',
        h.promotionId ?? '',
        h.by.who,
      ]);
      this.log(
        rows.length === 0
          ? `no model has held ${args.gate} yet`
          : table(['SINCE', 'MODEL', 'BEFORE', 'CANARY', 'PROMOTION', 'BY'], rows),
      );
    }
    return { gate: args.gate, history };
  }
}
