import * as z from 'zod';

type Json = Record<string, unknown>;
type Direction = 'input' | 'output';

/** Of the words that zod writes, those that clients refuse, or pass on to models whose API does. */
const DROPPED: readonly string[] = ['$schema', 'exclusiveMinimum', 'exclusiveMaximum', 'propertyNames', 'format'];

/**
 * A schema as it is advertised, in the words that every client takes: some pass schemas on to model APIs that know a part of JSON
 * Schema only, and refuse the whole list for one word. What is left out here is still checked when the tool is called.
 */
export function advertised(schema: z.ZodType, io: Direction): Json {
  // The draft is left out, as the protocol's default: naming it in every schema would cost the client tokens.
  const { type, ...rest } = plain(z.toJSONSchema(schema, { io, target: 'draft-2020-12' }) as Json, io);
  return { type: single(type, rest), ...rest };
}

/** The same in those words, but for a type that may also be null. */
function plain(whole: Json, io: Direction): Json {
  const schema = withoutChoice(whole);
  const kept: Json = {};
  for (const [word, value] of Object.entries(schema)) {
    if (DROPPED.includes(word)) continue;
    // Whatever else there is may be anything: that is so without saying it.
    if (word === 'additionalProperties' && isJson(value) && Object.keys(value).length === 0) continue;
    // Bounds of what a double holds exactly say nothing.
    if ((word === 'minimum' || word === 'maximum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER) continue;
    // Null for an argument that is left out.
    if (word === 'default' && value === null) continue;
    kept[word] = (word === 'items' || word === 'additionalProperties') && isJson(value) ? plain(value, io) : value;
  }
  if (typeof schema['exclusiveMinimum'] === 'number') kept['minimum'] ??= schema['exclusiveMinimum'];
  if (typeof schema['exclusiveMaximum'] === 'number') kept['maximum'] ??= schema['exclusiveMaximum'];
  return isJson(schema['properties']) ? withMembers(kept, schema['properties'], io) : kept;
}

/**
 * An argument that may be null may as well be left out, and null is read as that. A member of an answer that may be null is required
 * and described, without a schema of its own: there is none that all clients take.
 */
function withMembers(schema: Json, properties: Json, io: Direction): Json {
  const members: Json = {};
  const nullable: string[] = [];
  for (const [name, whole] of Object.entries(properties)) {
    const { type, ...rest } = plain(whole as Json, io);
    if (io === 'input' || !Array.isArray(type)) members[name] = { type: single(type, rest), ...rest };
    else nullable.push(`${name} (${type.filter((one) => one !== 'null')} or null${words(rest['description'])})`);
  }
  const also =
    nullable.length === 0 ? [] : [`${Object.keys(members).length === 0 ? 'Has' : 'Also'} ${nullable.join(', ')}.`];
  const said = [...[schema['description'] ?? []].flat(), ...also].join(' ');
  return { ...schema, ...(said === '' ? {} : { description: said }), properties: members };
}

function words(description: unknown): string {
  return typeof description === 'string' ? `: ${description.replace(/\.$/, '')}` : '';
}

function single(type: unknown, schema: Json): unknown {
  const [only, ...more] = [type].flat().filter((one) => one !== 'null');
  if (typeof only === 'string' && more.length === 0) return only;
  throw new Error(`a value of no type, or several: ${JSON.stringify({ type, ...schema })}`);
}

/** What is one thing or null says so in its type. */
function withoutChoice({ anyOf, ...rest }: Json): Json {
  if (!Array.isArray(anyOf)) return rest;
  const [only, ...more] = (anyOf as Json[]).filter(({ type }) => type !== 'null');
  if (only === undefined || more.length > 0 || anyOf.length !== 2) throw new Error('a schema of several forms');
  return { ...only, ...rest, type: [only['type'], 'null'] };
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
