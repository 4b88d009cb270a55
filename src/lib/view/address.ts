/** Kinds of subjects that the cockpit shows by their name or id. */
const NAMED = ['canary', 'job', 'gate', 'promotion', 'policy', 'docs'] as const;

/** What the overview is limited to; left out: nothing. */
export interface OverviewFilter {
  /** Words, or the name of a model. */
  q?: string;
  state?: string;
  sort?: string;
}

/** What the list of log entries is limited to; left out: nothing. */
export interface EntriesFilter {
  /** Only entries below this number. */
  before?: string;
  /** A canary, job, promotion, or `gate:NAME`. */
  about?: string;
  model?: string;
  /** A kind of entry, or what kinds begin with: `canary.decided`, `job`. */
  kind?: string;
}

/** What a page of the cockpit is about. */
export type Subject =
  | ({ kind: 'overview' } & OverviewFilter)
  /** `name`: id of a canary, job or promotion, name of a gate, sha256 of a policy, page of the documentation (`why`, `why#numbers`). */
  | { kind: (typeof NAMED)[number]; name: string /** Of a canary: with the reasons opened. */; why?: true }
  /** The list of log entries. */
  | { kind: 'entries'; filter: EntriesFilter }
  /** An entry of the log. */
  | { kind: 'log'; seq: number };

/** Path of the cockpit below the daemon's address. */
export const COCKPIT_PATH = '/cockpit.html';

const FILTERS = ['q', 'state', 'sort'] as const;
const ENTRY_FILTERS = ['before', 'about', 'model', 'kind'] as const;

/** The part of the address from `#` on: `#/canary/c-m8k2x0`, `#/?q=fraud-v2`, `#/log/12`. */
export function fragmentOf(subject: Subject): string {
  if (subject.kind === 'log') return `#/log/${subject.seq}`;
  if (subject.kind === 'entries') return `#/log${queryOf(ENTRY_FILTERS, subject.filter)}`;
  if (subject.kind === 'overview') return `#/${queryOf(FILTERS, subject)}`;
  return `#/${subject.kind}/${encodeURIComponent(subject.name)}${subject.why ? '?why' : ''}`;
}

/** What a fragment is about, as `fragmentOf` wrote it; an empty one is the overview. Null: there is no such page. */
export function subjectAt(fragment: string): Subject | null {
  const [text = '', query = ''] = fragment.replace(/^#?\/?/, '').split('?');
  if (text === '') return { kind: 'overview', ...filterOf(FILTERS, query) };
  if (text === 'log') return { kind: 'entries', filter: filterOf(ENTRY_FILTERS, query) };
  const [kind = '', encoded = '', ...more] = text.split('/');
  if (encoded === '' || more.length > 0) return null;
  if (kind === 'log') return /^(0|[1-9]\d{0,14})$/.test(encoded) ? { kind, seq: Number(encoded) } : null;
  const named = NAMED.find((one) => one === kind);
  const name = decoded(encoded);
  if (named === undefined || name === null) return null;
  return { kind: named, name, ...(named === 'canary' && query === 'why' ? { why: true } : {}) };
}

type Filter<K extends string> = { [key in K]?: string };

function queryOf<K extends string>(keys: readonly K[], filter: Filter<K>): string {
  const query = new URLSearchParams();
  for (const key of keys) if (filter[key] !== undefined && filter[key] !== '') query.set(key, filter[key]);
  return query.size === 0 ? '' : `?${query}`;
}

function filterOf<K extends string>(keys: readonly K[], query: string): Filter<K> {
  const given = new URLSearchParams(query);
  const filter: Filter<K> = {};
  for (const key of keys) {
    const value = given.get(key);
    if (value !== null && value !== '') filter[key] = value;
  }
  return filter;
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** What a document of the search is about: `canary:…`, `event:…`, `doc:…`. Null for an id of no kind. */
export function subjectOfDocument(id: string): Subject | null {
  const [, kind = '', name = ''] = /^([a-z]+):(.+)$/s.exec(id) ?? [];
  switch (kind) {
    case 'canary':
    case 'job':
    case 'gate':
    case 'promotion':
    case 'policy':
      return { kind, name };
    case 'doc':
      return { kind: 'docs', name };
    case 'event':
      return /^\d{1,15}$/.test(name) ? { kind: 'log', seq: Number(name) } : null;
    // A model has no page of its own: its canaries are what there is to see of it.
    case 'model':
      return { kind: 'overview', q: name };
    default:
      return null;
  }
}

/** @param base address of the daemon, with or without a slash at its end; null: there is none, and the address is empty */
export function cockpitAddress(base: string | null, subject: Subject): string {
  return base === null ? '' : `${base.replace(/\/+$/, '')}${COCKPIT_PATH}${fragmentOf(subject)}`;
}

/** The address of a document of the search; empty where there is none. */
export function documentAddress(base: string | null, id: string): string {
  const subject = subjectOfDocument(id);
  return subject === null ? '' : cockpitAddress(base, subject);
}
