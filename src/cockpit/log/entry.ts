import { moment } from '../../lib/explain/index.js';
import { fragmentOf } from '../../lib/view/index.js';
import { facts, h, lines, replace } from '../dom.js';
import { failure } from '../failure.js';
import { proofAddress, readLog, readProof } from './read.js';
import { type CheckedEntry, type CheckedLog, type CheckedProof, checkedProof, hex } from './verify.js';

/** One entry: what it says, its bytes, and what proves that it is in the log. */
export function entryPage(seq: number): HTMLElement {
  const element = h('div', {}, h('p', { role: 'status' }, 'Loading…'));
  draw(element, seq).catch((error: unknown) => replace(element, ...failure(error)));
  return element;
}

async function draw(element: HTMLElement, seq: number): Promise<void> {
  const log = await readLog({ before: String(seq + 1), limit: '1' });
  const [entry] = log.entries;
  const link = (to: number, text: string) => h('a', { href: fragmentOf({ kind: 'log', seq: to }) }, text);
  const crumbs = h('p', { class: 'crumbs' }, h('a', { href: '#/log' }, 'Log'), ` / ${seq}`);
  if (entry?.row.seq !== seq) {
    replace(element, crumbs, h('h1', {}, 'Not found'), h('p', {}, `The log has ${log.head.size} entries, from 0.`));
    return;
  }
  const { row } = entry;
  const proof = h('li', { class: 'quiet' }, 'Reading its proof…');
  replace(
    element,
    crumbs,
    h('h1', {}, `Entry ${seq}: ${row.what}`),
    facts([
      ['Time', moment(row.at)],
      ['Kind', row.kind],
      ['About', row.page === null ? row.subject : h('a', { href: fragmentOf(row.page) }, row.subject)],
      ['By', row.who ?? 'lukhas'],
    ]),
    row.lines.map((line) => h('p', {}, line)),
    h('h2', {}, 'Proof'),
    h('ul', { class: 'proof' }, treeLine(entry, log), proof),
    h(
      'p',
      { class: 'actions' },
      h('a', { href: proofAddress(seq), download: `entry-${seq}.tlog-proof`, class: 'button' }, 'Download the proof'),
      seq > 0 && link(seq - 1, 'Entry before'),
      seq + 1 < log.head.size && link(seq + 1, 'Entry after'),
    ),
    h(
      'details',
      {},
      h('summary', {}, `The ${entry.path.length} hashes from the entry to the root`),
      lines([entry.leaf, ...entry.path].map(hex).join('\n'), { class: 'json', role: 'region', 'aria-label': 'hashes' }),
    ),
    h('h2', {}, 'As recorded'),
    lines(entry.body, { class: 'json', role: 'region', 'aria-label': 'recorded text' }),
  );
  readProof(seq).then(
    (text) => proof.replaceWith(...proofLine(checkedProof(text, seq, entry.body))),
    (error: Error) => replace(proof, `– Not proven by a checkpoint: ${error.message}`),
  );
}

function treeLine({ holds, leaf, row }: CheckedEntry, { head }: CheckedLog): HTMLElement {
  return h(
    'li',
    holds ? { class: 'good' } : { class: 'bad', role: 'alert' },
    holds
      ? `✓ Its hash, computed here: ${hex(leaf)}. It leads to the root of the ${head.size} entries, at place ${row.seq}: ${hex(head.root)}`
      : '✗ Its recorded bytes are not what the tree of the log has at this place. Run lukhas verify.',
  );
}

function proofLine({ origin, size, root, holds }: CheckedProof): HTMLElement[] {
  return [
    h(
      'li',
      holds ? { class: 'good' } : { class: 'bad', role: 'alert' },
      holds
        ? `✓ The checkpoint in its proof covers it: ${origin}, ${size} entries, root ${hex(root)}`
        : '✗ Its proof is not of this entry, or does not lead to the root in its checkpoint.',
    ),
    h('li', { class: 'quiet' }, '– Not verified here: who signed it. Run lukhas verify FILE --trust KEYS.'),
  ];
}
