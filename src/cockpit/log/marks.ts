import { moment, plural } from '../../lib/explain/index.js';
import { fragmentOf } from '../../lib/view/index.js';
import { h } from '../dom.js';
import { table } from '../table.js';
import { type CheckedEntry, type CheckedLog, hex } from './verify.js';

/** Green only where this page has computed it. */
export function entryMark({ holds }: CheckedEntry): HTMLElement {
  return holds ? h('span', { class: 'good' }, '✓ in the log') : h('span', { class: 'bad' }, '✗ not as recorded');
}

/** What was verified of a page of entries, and what was not. */
export function proofLines({ head, entries, before }: CheckedLog): HTMLElement {
  const good = entries.filter(({ holds }) => holds).length;
  const all = good === entries.length;
  const tree = `the tree of ${plural(head.size, 'entry', 'entries')} (root ${hex(head.root).slice(0, 16)}…)`;
  return h(
    'ul',
    { class: 'proof' },
    entries.length > 0 &&
      h(
        'li',
        { class: all ? 'good' : 'bad', role: all ? null : 'alert' },
        all
          ? `✓ ${good} of ${entries.length} entries shown: hash recomputed here, and found at its place in ${tree}`
          : `✗ ${entries.length - good} of ${entries.length} entries shown are not what ${tree} has. Run lukhas verify.`,
      ),
    before !== null &&
      h(
        'li',
        { class: before.continued ? 'good' : 'bad', role: before.continued ? null : 'alert' },
        before.continued
          ? `✓ It continues the log of ${plural(before.size, 'entry', 'entries')} that this page saw before: nothing in it was changed or removed`
          : `✗ It does not continue the log of ${plural(before.size, 'entry', 'entries')} that this page saw before. Run lukhas verify.`,
      ),
    h(
      'li',
      { class: 'quiet' },
      '– Not verified here: who signed this log. Open an entry, download its proof, and run lukhas verify FILE --trust KEYS.',
    ),
  );
}

const HEAD = ['Entry', 'Time', 'What', 'About', 'By', 'Verified'];

export function entriesTable(entries: readonly CheckedEntry[]): HTMLElement {
  return table(
    'Entries',
    HEAD,
    entries.map((entry) => {
      const { seq, at, what, lines, subject, page, who } = entry.row;
      return [
        h('a', { href: fragmentOf({ kind: 'log', seq }), title: lines.join(' ').slice(0, 300) }, String(seq)),
        moment(at),
        h('span', {}, what, lines[0] !== undefined && h('span', { class: 'quiet line' }, lines[0].slice(0, 200))),
        page === null ? subject : h('a', { href: fragmentOf(page) }, subject),
        who ?? 'lukhas',
        entryMark(entry),
      ];
    }),
  );
}
