import { Flags } from '@oclif/core';
import { advice } from '../../cli/advice.js';
import { BaseCommand } from '../../cli/base-command.js';
import { table } from '../../cli/table.js';
import type { SubjectSummary } from '../../lib/ledger/index.js';
import { CANARY_STATES } from '../../lib/ledger/index.js';

function unreviewed({ data }: SubjectSummary): boolean {
  return data['breakGlass'] === 'not reviewed';
}

/** In few words: the state says what was decided, not whether it could be done. */
function stateOf(summary: SubjectSummary): string {
  const notes = [
    ...(unreviewed(summary) ? ['break-glass, not reviewed'] : []),
    ...(summary.data['action'] === 'failed' ? ['hook failed'] : []),
  ];
  return notes.length === 0 ? summary.state : `${summary.state} (${notes.join('; ')})`;
}

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
    summaries.sort((a, b) => Number(unreviewed(b)) - Number(unreviewed(a)));
    const canaries = summaries.map(({ subject, modelId, state, createdAt, updatedAt, data }) => ({
      canaryId: subject,
      modelId,
      status: state,
      createdAt,
      updatedAt,
      ...data,
    }));
    if (!this.jsonEnabled()) {
      const rows = summaries.map((h) => [
        h.subject,
        stateOf(h),
        h.modelId,
        `${h.data['fromGate']} -> ${h.data['toGate']}`,
        h.updatedAt,
      ]);
      this.log(rows.length === 0 ? 'no canaries' : table(['CANARY', 'STATE', 'MODEL', 'GATES', 'UPDATED'], rows));
    }
    return { canaries, ...(warning === null ? {} : { warning: advice(warning) }) };
  }
}
