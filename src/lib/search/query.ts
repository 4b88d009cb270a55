/** A letter or digit, and what may follow it within a name, an id or a number. */
const TERM = /[\p{L}\p{N}][\p{L}\p{N}\p{M}._:/@+-]*/gu;
const MOST_TERMS = 32;
const LONGEST_TERM = 128;

/** FTS5 expressions for a query: documents that hold all of its terms, or any of them. */
export interface Expressions {
  all: string;
  any: string;
}

/**
 * Turns what a person or a program typed into full-text expressions: each term is quoted, so that nothing in it is taken
 * for syntax, and the last may be the beginning of a word unless it is `whole`. Null when there is no word in it.
 */
export function expressionsOf(query: string, whole = false): Expressions | null {
  const terms = termsOf(query).map((term) => `"${term}"`);
  if (terms.length === 0) return null;
  if (!whole) terms.push(`${terms.pop()}*`);
  return { all: terms.join(' AND '), any: terms.join(' OR ') };
}

/** Terms as they stand in the query, without what only ends a sentence. */
export function termsOf(query: string): string[] {
  const found = query.slice(0, MOST_TERMS * LONGEST_TERM).match(TERM) ?? [];
  return found.slice(0, MOST_TERMS).map((term) => term.slice(0, LONGEST_TERM).replace(/[._:/@+-]+$/, ''));
}
