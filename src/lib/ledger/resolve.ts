import { LukhasError } from '../errors.js';
import type { EventKind } from './events.js';
import type { Ledger, SubjectSummary } from './ledger.js';

/** What is looked for, in words. */
export interface Named {
  type: SubjectSummary['type'];
  one: string;
  many: string;
  /** The command that lists them. */
  list: string;
}

/** Fewer characters of an id are not taken for it: they stand for whatever happens to be alone in the log. */
export const SHORTEST_PREFIX = 6;

/** Ids that are counted: of a long log, a short beginning names too many. */
const MOST = 100;

/** What the first entry of each is. */
const FIRST: Readonly<Record<SubjectSummary['type'], EventKind>> = {
  canary: 'canary.requested',
  promotion: 'promotion.requested',
  gate: 'gate.changed',
  job: 'job.queued',
};

/**
 * The id that a unique prefix of at least 6 characters, or the whole id, stands for. Read from the entries: a row that
 * is missing in a listing must not make one prefix stand for another canary.
 * @throws LukhasError NOT_FOUND, AMBIGUOUS_ID; USAGE when a shorter prefix begins the id of any
 */
export async function resolveId(ledger: Ledger, prefix: string, { type, one, many, list }: Named): Promise<string> {
  const found = await ledger.findSubjects(prefix, FIRST[type], MOST + 1);
  if (found.includes(prefix)) return prefix;
  if (found.length > 0 && prefix.length < SHORTEST_PREFIX)
    throw new LukhasError(
      'USAGE',
      `${JSON.stringify(prefix)} is too short for a ${one} id: give at least ${SHORTEST_PREFIX} characters.`,
      { suggestions: [`List them: ${list}`] },
    );
  const [id] = found;
  if (id === undefined) throw notInLog(JSON.stringify(prefix), { one, list });
  if (found.length === 1) return id;
  const some = found.slice(0, 5);
  const count = found.length > MOST ? `more than ${MOST}` : found.length;
  throw new LukhasError('AMBIGUOUS_ID', `${JSON.stringify(prefix)} matches ${count} ${many}: ${some.join(', ')}…`, {
    suggestions: ['Give more characters of the id.'],
  });
}

/** The error for an id that the log does not know. */
export function notInLog(id: string, { one, list }: Pick<Named, 'one' | 'list'>): LukhasError {
  return new LukhasError('NOT_FOUND', `No ${one} ${id} in this log.`, {
    suggestions: [`List them: ${list}`, 'Is it in another database? Pass --db or set LUKHAS_MCP_DB.'],
  });
}
