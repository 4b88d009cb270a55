import { BaseCommand } from '../../cli/base-command.js';
import { table } from '../../cli/table.js';

export default class GateList extends BaseCommand {
  static override summary = 'the current holder of each gate';

  async run(): Promise<unknown> {
    const { flags } = await this.parse(GateList);
    const app = await this.app(flags, { readOnly: true });
    const { gatesWithPromotions } = await import('../../lib/gates/promotion-change.js');
    const gates = await gatesWithPromotions(app.ledger);
    if (!this.jsonEnabled()) {
      const rows = gates.map((g) => [g.gate, g.modelId, g.since, g.canaryId ?? '', g.promotionId ?? '']);
      this.log(
        rows.length === 0 ? 'no gate has a holder yet' : table(['GATE', 'MODEL', 'SINCE', 'CANARY', 'PROMOTION'], rows),
      );
    }
    return { gates };
  }
}
