import { isUtf8 } from 'node:buffer';
import { canonical } from '../../ledger/verify/index.js';

/**
 * The value whose canonical JSON (RFC 8785) these bytes are; undefined for all other bytes. In most cases the engine's own
 * JSON.stringify decides: text that it writes back unchanged, with members in order, is canonical. The rest (integer-like
 * names, which objects reorder, and lone surrogates) goes to the canonicalize package.
 */
export function parseCanonical(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString();
  try {
    const value: unknown = JSON.parse(text);
    const plain = JSON.stringify(value) === text && isOrdered(value) && !text.includes('\\ud');
    return plain || canonical(value) === text ? value : undefined;
  } catch (error) {
    // RangeError: nested deeper than the stack allows, which no event is.
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Canonical text of a part of a value that `parseCanonical` returned. */
export function canonicalPart(value: unknown): string | undefined {
  return isOrdered(value) ? JSON.stringify(value) : canonical(value);
}

/** Deeper than any event; deeper values go to the package. */
const MAX_DEPTH = 64;

function isOrdered(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => isOrdered(item, depth + 1));
  let before: string | null = null;
  for (const [name, member] of Object.entries(value)) {
    if (before !== null && before >= name) return false;
    if (!isOrdered(member, depth + 1)) return false;
    before = name;
  }
  return true;
}
