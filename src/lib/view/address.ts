/** Kinds of subjects that the cockpit shows by their name or id. */
const NAMED = ['canary', 'job', 'gate', 'promotion', 'policy', 'docs'] as const;

/** What the overview is limited to; left out: nothing. */
export interface OverviewFilter {
  /** Words, or the name of a model. */
  q?: string;
  state?: string;
  sort?: string;
}

/** What a page of the cockpit is about. */
export type Subject =
  | ({ kind: 'overview' } & OverviewFilter)
  /** `name`: id of a canary, job or promotion, name of a gate, sha256 of a policy, page of the documentation (`why`, `why#numbers`). */
  | { kind: (typeof NAMED)[number]; name: string }
  /** An entry of the log. */
  | { kind: 'log'; seq: number };

/** Path of the cockpit below the daemon's address. */
export const COCKPIT_PATH = '/cockpit.html';

const FILTERS = ['q', 'state', 'sort'] as const;

/** The part of the address from `#` on: `#/canary/c-m8k2x0`, `#/?q=fraud-v2`, `#/log/12`. */
export function fragmentOf(subject: Subject): string {
  if (subject.kind === 'log') return `#/log/${subject.seq}`;
  if (subject.kind !== 'overview') return `#/${subject.kind}/${encodeURIComponent(subject.name)}`;
  const query = new URLSearchParams();
  for (const key of FILTERS) if (subject[key] !== undefined && subject[key] !== '') query.set(key, subject[key]);
  return query.size === 0 ? '#/' : `#/?${query}`;
}

/** What a fragment is about, as `fragmentOf` wrote it; an empty one is the overview. Null: there is no such page. */
export function subjectAt(fragment: string): Subject | null {
  const text = fragment.replace(/^#?\/?/, '');
  if (text === '' || text.startsWith('?')) return overviewOf(text);
  const [kind = '', encoded = '', ...more] = text.split('/');
  if (encoded === '' || more.length > 0) return null;
  if (kind === 'log') return /^(0|[1-9]\d{0,14})$/.test(encoded) ? { kind, seq: Number(encoded) } : null;
  const named = NAMED.find((one) => one === kind);
  const name = decoded(encoded);
  return named === undefined || name === null ? null : { kind: named, name };
}

function overviewOf(query: string): Subject {
  const given = new URLSearchParams(query);
  const filter: OverviewFilter = {};
  for (const key of FILTERS) {
    const value = given.get(key);
    if (value !== null && value !== '') filter[key] = value;
  }
  return { kind: 'overview', ...filter };
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
