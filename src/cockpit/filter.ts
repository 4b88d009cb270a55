import type { SortKey } from '../lib/view/index.js';
import { h, on } from './dom.js';

/** What of the overview is shown; in the address, so that a link shows the same. */
export interface Filter {
  q: string;
  state: string;
  sort: SortKey;
}

const STATES = ['', 'PENDING', 'RUNNING', 'PROMOTED', 'ROLLED_BACK', 'BLOCKED', 'ABORTED', 'FAILED'];
const SORTS: readonly [SortKey, string][] = [
  ['newest', 'open first, then newest'],
  ['model', 'model'],
  ['state', 'state'],
  ['evidence', 'evidence against it'],
  ['left', 'time left'],
];
/** Search, state and order of the overview. @param changed called with what is chosen now */
export function filterForm({ q, state: chosen, sort: order }: Filter, changed: (filter: Filter) => void): HTMLElement {
  const search = h('input', {
    id: 'search',
    type: 'search',
    value: q,
    placeholder: 'model, id, gate, reason',
    autocomplete: 'off',
  });
  const state = h(
    'select',
    { id: 'state' },
    STATES.map((value) =>
      h('option', { value, selected: value === chosen }, value === '' ? 'all' : value.replaceAll('_', ' ')),
    ),
  );
  const sort = h(
    'select',
    { id: 'sort' },
    SORTS.map(([value, text]) => h('option', { value, selected: value === order }, text)),
  );
  const tell = (): void => changed({ q: search.value, state: state.value, sort: sort.value as SortKey });
  on(search, { input: tell });
  on(state, { change: tell });
  on(sort, { change: tell });
  return h(
    'form',
    { class: 'controls', role: 'search' },
    h('label', { for: 'search' }, 'Search'),
    search,
    h('label', { for: 'state' }, 'State'),
    state,
    h('label', { for: 'sort' }, 'Sort by'),
    sort,
  );
}
