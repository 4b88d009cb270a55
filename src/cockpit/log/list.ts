import { type EntriesFilter, fragmentOf } from '../../lib/view/index.js';
import { h, on, replace } from '../dom.js';
import { failure } from '../failure.js';
import { Latest } from '../latest.js';
import { entriesTable, proofLines } from './marks.js';
import { readLog } from './read.js';
import type { CheckedLog } from './verify.js';

const KINDS: readonly [value: string, text: string][] = [
  ['', 'all'],
  ['canary', 'canaries'],
  ['canary.decided', 'decisions'],
  ['fallback', 'missing data'],
  ['gate', 'gates'],
  ['promotion', 'promotions'],
  ['hook', 'hooks'],
  ['job', 'jobs'],
  ['evidence', 'failed exports'],
];

/** The log, newest first, a page at a time. */
export class EntriesPage {
  readonly element: HTMLElement;
  readonly #list = h('div', {}, h('p', { role: 'status' }, 'Loading…'));
  readonly #reading = new Latest(
    () => readLog({ ...this.#asked(), before: this.filter.before }),
    (log) => this.#draw(log),
    (error) => replace(this.#list, ...failure(error)),
  );

  constructor(private readonly filter: EntriesFilter) {
    this.element = h('div', {}, h('h1', {}, 'Log'), this.#controls(), this.#list);
    this.#reading.again();
  }

  /** Newer entries belong at the top of the first page; other pages stay as they are. */
  heard(_: ReadonlySet<string>, logged: boolean): void {
    if (logged && this.filter.before === undefined) this.#reading.again();
  }

  #asked() {
    const { about: subject, model, kind } = this.filter;
    return { subject, model, kind };
  }

  #draw(log: CheckedLog): void {
    const focused = document.activeElement?.getAttribute('href');
    const { before, ...rest } = this.filter;
    const to = (filter: EntriesFilter, text: string) =>
      h('a', { href: fragmentOf({ kind: 'entries', filter }), class: 'button' }, text);
    replace(
      this.#list,
      proofLines(log),
      log.entries.length === 0 ? h('p', {}, 'No such entry here.') : entriesTable(log.entries),
      h(
        'p',
        { class: 'actions' },
        before !== undefined && to(rest, 'Newest'),
        log.next !== null && to({ ...rest, before: String(log.next) }, 'Older'),
      ),
    );
    if (focused != null) this.#list.querySelector<HTMLElement>(`a[href="${CSS.escape(focused)}"]`)?.focus();
  }

  #controls(): HTMLElement {
    const { about = '', model = '', kind = '' } = this.filter;
    const field = (id: string, value: string, placeholder: string) =>
      h('input', { id, value, placeholder, autocomplete: 'off' });
    const subject = field('about', about, 'c-m8k2x0, gate:production');
    const named = field('model', model, 'fraud-v2');
    const kinds = h(
      'select',
      { id: 'kind' },
      KINDS.map(([value, text]) => h('option', { value, selected: value === kind }, text)),
    );
    const show = (event: Event): void => {
      event.preventDefault();
      const filter = { about: subject.value.trim(), model: named.value.trim(), kind: kinds.value };
      location.hash = fragmentOf({ kind: 'entries', filter });
    };
    on(kinds, { change: show });
    return on(
      h(
        'form',
        { class: 'controls', role: 'search' },
        h('label', { for: 'kind' }, 'Entries of'),
        kinds,
        h('label', { for: 'about' }, 'About'),
        subject,
        h('label', { for: 'model' }, 'Model'),
        named,
        h('button', { type: 'submit' }, 'Show'),
      ),
      { submit: show },
    );
  }
}
