import { DEEPEST, isDeeper } from '../jsonrpc.js';

/** The parts of an advertised input schema that say what a value can mean. */
interface Shape {
  type?: string;
  enum?: readonly unknown[];
  properties?: Readonly<Record<string, Shape>>;
  required?: readonly string[];
  items?: Shape;
  /** Left out: members of any name may be given. */
  additionalProperties?: boolean | Shape;
}

type Members = Readonly<Record<string, unknown>>;

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/**
 * Arguments as models really send them, read as what they mean where that is beyond doubt: numbers, booleans, objects and lists as text,
 * names of arguments and constants in another case, one thing for a list of it, null or "" for an optional argument that was left out, and anything at all
 * for a tool without arguments. Everything else is returned as it came, for the schema to accept or reject: nothing that could change
 * what a call does is dropped or guessed.
 * @param schema JSON Schema of the tool's input
 */
export function understood(schema: object, args: unknown): unknown {
  return meant(schema as Shape, args ?? {});
}

function meant(shape: Shape, value: unknown): unknown {
  if (shape.type === 'object') return objectOf(shape, value);
  if (shape.type === 'array') return listOf(shape.items ?? {}, value);
  if (typeof value !== 'string') return value;
  const text = value.trim();
  if (shape.enum !== undefined) return constantOf(shape.enum, text) ?? value;
  if (shape.type === 'boolean') return /^true$/i.test(text) || (/^false$/i.test(text) ? false : value);
  if (shape.type === 'number' || shape.type === 'integer') return NUMBER.test(text) ? Number(text) : value;
  return value;
}

function objectOf(shape: Shape, value: unknown): unknown {
  const given = typeof value === 'string' ? parsed(value) : value;
  if (!isMembers(given)) return value;
  const { properties = {}, required = [] } = shape;
  const names = Object.keys(properties);
  // What is open says itself what its members are, and what null means there.
  if (shape.additionalProperties !== false) return given;
  if (names.length === 0) return {};
  const read = new Map<string, unknown>();
  for (const [name, member] of Object.entries(given)) {
    const key = nameOf(name, names, given);
    if ((member === null || member === '') && !required.includes(key)) continue;
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    read.set(key, property === undefined ? member : meant(property, member));
  }
  return Object.fromEntries(read);
}

/** One thing is a list of it; several numbers may stand in a text, with commas. */
function listOf(items: Shape, value: unknown): unknown {
  if (value === null || value === undefined) return value;
  const read = typeof value === 'string' ? parsed(value) : undefined;
  const given = Array.isArray(read) ? read : value;
  const isNumeric = items.type === 'number' || items.type === 'integer';
  const list = Array.isArray(given) ? given : typeof given === 'string' && isNumeric ? given.split(',') : [given];
  return list.map((one) => meant(items, one));
}

/** The argument that was meant: `canary_id` is canaryId, unless that is given as well. */
function nameOf(name: string, names: readonly string[], given: Members): string {
  if (names.includes(name)) return name;
  const known = names.find((one) => plain(one) === plain(name));
  const spellings = Object.keys(given).filter((other) => plain(other) === plain(name));
  return known === undefined || spellings.length > 1 ? name : known;
}

/** `rolled back` is ROLLED_BACK. */
function constantOf(constants: readonly unknown[], text: string): unknown {
  return constants.find((constant) => typeof constant === 'string' && plain(constant) === plain(text));
}

function plain(text: string): string {
  return text.toLowerCase().replace(/[\s_-]/g, '');
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    // As deep as a message may be: what is done with it recurses.
    return isDeeper(value, DEEPEST) ? undefined : value;
  } catch {
    return undefined;
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
