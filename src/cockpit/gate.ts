import { moment } from '../lib/explain/index.js';
import { fragmentOf, type GateEntry, type GateView, gateView, type Overview, stateLook } from '../lib/view/index.js';
import { get } from './ask.js';
import { h, replace } from './dom.js';
import { failure } from './failure.js';
import { Latest } from './latest.js';
import { entryMark, proofLines } from './log/marks.js';
import { readLog } from './log/read.js';
import type { CheckedLog } from './log/verify.js';
import { table } from './table.js';

/** One gate: who holds it, and every change with the canary that proved it or the person who made it. */
export class GatePage {
  readonly element = h('div', {}, h('p', { role: 'status' }, 'Loading…'));
  readonly #reading = new Latest(
    () =>
      Promise.all([
        get<{ changes: GateEntry[] }>(`/api/gate?name=${encodeURIComponent(this.name)}`),
        readLog({ subject: `gate:${this.name}`, limit: '200' }),
      ]),
    ([{ changes }, log]) => this.#draw(gateView(this.name, changes), log),
    (error) => replace(this.element, ...failure(error)),
  );

  constructor(
    readonly name: string,
    private readonly overview: () => Overview,
  ) {
    this.#reading.again();
  }

  heard(ids: ReadonlySet<string>): void {
    if (ids.size === 0 || ids.has(this.name)) this.#reading.again();
  }

  #draw({ gate, holder, changes }: GateView, log: CheckedLog): void {
    const entries = new Map(log.entries.map((entry) => [entry.row.seq, entry]));
    const rows = changes.map(({ seq, at, modelId, previous, canaryId, means, by }) => [
      moment(at),
      modelId,
      previous ?? 'nobody',
      means,
      by ?? 'lukhas',
      canaryId === null ? 'none' : this.#canary(canaryId),
      h('span', {}, h('a', { href: fragmentOf({ kind: 'log', seq }) }, String(seq)), ' ', mark(entries.get(seq))),
    ]);
    replace(
      this.element,
      h('p', { class: 'crumbs' }, h('a', { href: '#/' }, 'Canaries'), ' / ', gate),
      h('h1', {}, `Gate ${gate}`),
      holder === null
        ? h('p', { class: 'quiet' }, 'No model has held it yet.')
        : h(
            'p',
            { class: 'top' },
            h('strong', {}, holder.modelId),
            ` holds it since ${moment(holder.at)}, ${holder.means}`,
          ),
      h('h2', {}, 'History'),
      rows.length > 0 && [
        proofLines(log),
        table('History', ['Time', 'Model', 'Before', 'How', 'By', 'Canary', 'Entry'], rows),
      ],
    );
  }

  #canary(id: string): HTMLElement {
    const row = this.overview().canaries.get(id);
    const link = h('a', { href: fragmentOf({ kind: 'canary', name: id }) }, id);
    if (row === undefined) return link;
    return h('span', {}, link, h('span', { class: 'quiet' }, ` ${stateLook(row.state).word}, ${row.certainty ?? ''}`));
  }
}

function mark(entry: Parameters<typeof entryMark>[0] | undefined): HTMLElement {
  return entry === undefined ? h('span', { class: 'quiet' }, '– not verified') : entryMark(entry);
}
