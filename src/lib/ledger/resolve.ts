import { LukhasError } from '../errors.js';
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

/**
 * The id that a unique prefix of at least 6 characters, or the whole id, stands for.
 * @throws LukhasError NOT_FOUND, AMBIGUOUS_ID; USAGE when a shorter prefix begins the id of any
 */
export async function resolveId(ledger: Ledger, prefix: string, { type, one, many, list }: Named): Promise<string> {
  const heads = (await ledger.findSummaries(prefix)).filter((head) => head.type === type);
  const exact = heads.find((head) => head.subject === prefix);
  if (exact) return exact.subject;
  if (heads.length > 0 && prefix.length < SHORTEST_PREFIX)
    throw new LukhasError(
      'USAGE',
      `${JSON.stringify(prefix)} is too short to name a ${one}: give at least ${SHORTEST_PREFIX} characters of the id.`,
      { suggestions: [`List them: ${list}`] },
    );
  if (heads.length === 1) return heads[0]!.subject;
  if (heads.length === 0) throw notInLog(JSON.stringify(prefix), { one, list });
  const some = heads.slice(0, 5).map((head) => head.subject);
  throw new LukhasError(
    'AMBIGUOUS_ID',
    `${JSON.stringify(prefix)} stands for ${heads.length} ${many}: ${some.join(', ')}…`,
    { suggestions: ['Give more characters of the id.'] },
  );
}

/** The error for an id that the log does not know. */
export function notInLog(id: string, { one, list }: Pick<Named, 'one' | 'list'>): LukhasError {
  return new LukhasError('NOT_FOUND', `No ${one} ${id} in this log.`, {
    suggestions: [`List them: ${list}`, 'Is it in another database? Pass --db or set LUKHAS_MCP_DB.'],
  });
}
