import canonicalize from 'canonicalize';
import { LukhasError } from '../../errors.js';

/**
 * Canonical JSON text (RFC 8785): the bytes that are recorded and hashed are its UTF-8.
 * @param what named in the error, e.g. `event canary.started of c1`
 * @throws LukhasError USAGE for what JSON cannot hold: NaN, Infinity, lone surrogates, undefined, functions, cycles
 */
export function canonicalJson(value: unknown, what = 'value'): string {
  const ordered = inOrder(value, 0, false);
  return ordered === NOT_PLAIN ? recordedByPackage(value, what).text : JSON.stringify(ordered);
}

/** The canonical text, and the value as it will be read back from it. */
export function recorded(value: unknown, what: string): { text: string; copy: unknown } {
  const copy = inOrder(value, 0, true);
  // RFC 8785 takes numbers, strings and literals as ECMAScript writes them (3.2.2): with the members in order, the
  // engine's own writer gives the canonical text, in a third of the time.
  if (copy !== NOT_PLAIN) return { text: JSON.stringify(copy), copy };
  return recordedByPackage(value, what);
}

const NOT_PLAIN = Symbol('left to the package');
const MAX_DEPTH = 64;
const FEW = 20;
const [ZERO, NINE] = ['0'.charCodeAt(0), '9'.charCodeAt(0)];

/**
 * The value with sorted members; NOT_PLAIN for what JSON cannot hold, may hold otherwise, or an object cannot order.
 * @param copies whether everything is a copy; otherwise what is in order is the value itself
 */
function inOrder(value: unknown, depth: number, copies: boolean): unknown {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? value : NOT_PLAIN;
    case 'number':
      // The sum makes -0, which is read back as 0, what it will be.
      return Number.isFinite(value) ? value + 0 : NOT_PLAIN;
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return null;
      // A cycle ends here, too.
      if (depth > MAX_DEPTH) return NOT_PLAIN;
      return Array.isArray(value) ? itemsInOrder(value, depth, copies) : membersInOrder(value, depth, copies);
    default:
      return NOT_PLAIN;
  }
}

function itemsInOrder(items: readonly unknown[], depth: number, copies: boolean): unknown {
  let copy: unknown[] | null =
    copies || Object.getPrototypeOf(items) !== Array.prototype || 'toJSON' in items ? [] : null;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    const inside = inOrder(item, depth + 1, copies);
    if (inside === NOT_PLAIN) return NOT_PLAIN;
    if (copy === null && inside !== item) copy = items.slice(0, i);
    copy?.push(inside);
  }
  return copy ?? items;
}

function membersInOrder(object: object, depth: number, copies: boolean): unknown {
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return NOT_PLAIN;
  const names = Object.keys(object);
  const all = object as Record<string, unknown>;
  let copy: Record<string, unknown> | null = sortNames(names) || copies ? {} : null;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const member = all[name];
    // The engine leaves it out, too.
    if (member === undefined) continue;
    const inside = canBeOrdered(name) ? inOrder(member, depth + 1, copies) : NOT_PLAIN;
    if (inside === NOT_PLAIN) return NOT_PLAIN;
    if (copy === null && inside !== member) {
      copy = {};
      for (const before of names.slice(0, i)) copy[before] = all[before];
    }
    if (copy !== null) copy[name] = inside;
  }
  return copy ?? object;
}

/**
 * In place, by UTF-16 units. A few names are sorted faster, and without garbage, by insertion than by the engine.
 * @returns whether they were in another order
 */
function sortNames(names: string[]): boolean {
  let moved = false;
  for (let i = 1; i < names.length; i++) {
    const name = names[i] as string;
    if ((names[i - 1] as string) <= name) continue;
    moved = true;
    if (names.length > FEW) {
      names.sort();
      break;
    }
    let place = i;
    for (let before = names[i - 1] as string; place > 0 && before > name; before = names[place - 1] as string) {
      names[place] = before;
      place--;
    }
    names[place] = name;
  }
  return moved;
}

/** An object puts names that are array indexes before all others, and does not take `__proto__` for a member. */
function canBeOrdered(name: string): boolean {
  const first = name.charCodeAt(0);
  return !(first >= ZERO && first <= NINE) && name !== '__proto__' && name.isWellFormed();
}

function recordedByPackage(value: unknown, what: string): { text: string; copy: unknown } {
  let text: string | undefined;
  try {
    text = canonicalize(value);
    // The package writes a function inside an object as `undefined`: what is recorded for ever must parse.
    if (text !== undefined) return { text, copy: JSON.parse(text) };
  } catch (error) {
    throw notJson(what, error instanceof SyntaxError ? 'it contains a function' : (error as Error).message, error);
  }
  throw notJson(what, 'a value is missing', undefined);
}

function notJson(what: string, why: string, cause: unknown): LukhasError {
  return new LukhasError('USAGE', `The ${what} cannot be recorded as JSON: ${why}`, { cause });
}
