import { expect } from 'chai';
import * as z from 'zod';
import { understood } from '../../../src/daemon/mcp/tools/arguments.js';
import { chooseTools } from '../../../src/daemon/mcp/tools/catalogue.js';
import { advertised } from '../../../src/daemon/mcp/tools/schema.js';

type Schema = Record<string, unknown>;

/** What every client and model API takes. */
const WORDS = [
  ...['type', 'description', 'properties', 'required', 'additionalProperties', 'items', 'enum', 'default'],
  ...['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'pattern'],
];
const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean'];

/** Every schema within one, itself included, and where it stands. */
function* within(schema: Schema, path: string): Generator<[Schema, string]> {
  yield [schema, path];
  const { properties = {}, items, additionalProperties: more } = schema;
  for (const [name, inner] of Object.entries(properties as Schema)) yield* within(inner as Schema, `${path}.${name}`);
  if (items !== undefined) yield* within(items as Schema, `${path}[]`);
  if (typeof more === 'object') yield* within(more as Schema, `${path}.*`);
}

describe('the schemas of the tools', () => {
  it('have no word that a client refuses', () => {
    let count = 0;
    for (const { name, listed } of chooseTools({}))
      for (const [io, top] of Object.entries({ input: listed.inputSchema, output: listed.outputSchema })) {
        expect((top as Schema)['type'], name).to.equal('object');
        for (const [schema, path] of within(top as Schema, `${name}.${io}`)) {
          count++;
          expect(
            Object.keys(schema).filter((word) => !WORDS.includes(word)),
            path,
          ).to.deep.equal([]);
          const { type } = schema;
          expect(TYPES, path).to.include(type);
          if (type === 'array') expect(schema['items'], path).to.be.an('object').that.is.not.an('array');
          if (type === 'object' && schema['additionalProperties'] !== undefined)
            expect(schema['properties'] ?? schema['additionalProperties'], path).to.be.an('object');
          if (schema['enum'] !== undefined)
            for (const one of schema['enum'] as unknown[]) expect(one).to.be.a('string');
          // Look-around is beyond the regular expressions that some model APIs compile.
          if (schema['pattern'] !== undefined) expect(schema['pattern'], path).to.not.match(/\(\?[=!<]/);
        }
      }
    expect(count).to.be.above(100);
  });

  it('are written in those words whatever they are made from', () => {
    const schema = z.strictObject({
      above: z.number().gt(0).lt(1),
      count: z.int(),
      maybe: z.string().nullable().default(null),
      map: z.record(z.string(), z.number()),
      open: z.looseObject({}),
    });
    expect(advertised(schema, 'input')).to.deep.equal({
      type: 'object',
      properties: {
        above: { type: 'number', minimum: 0, maximum: 1 },
        count: { type: 'integer' },
        maybe: { type: 'string' },
        map: { type: 'object', additionalProperties: { type: 'number' } },
        open: { type: 'object', properties: {} },
      },
      required: ['above', 'count', 'map', 'open'],
      additionalProperties: false,
    });
    const answer = z.looseObject({
      n: z.number().nullable(),
      o: z.looseObject({}).nullable().describe('Nothing yet.'),
      s: z.string(),
    });
    expect(advertised(answer.describe('An answer.'), 'output')).to.deep.equal({
      type: 'object',
      description: 'An answer. Also n (number or null), o (object or null: Nothing yet).',
      properties: { s: { type: 'string' } },
      required: ['n', 'o', 's'],
    });
    expect(() => advertised(z.strictObject({ a: z.union([z.string(), z.number()]) }), 'input')).to.throw(/several/);
    expect(() => advertised(z.strictObject({ a: z.unknown() }), 'input')).to.throw(/no type/);
  });
});

describe('arguments that are lists and open groups', () => {
  const schema = advertised(
    z.strictObject({
      numbers: z.array(z.number()).optional(),
      texts: z.array(z.string()).optional(),
      group: z.looseObject({}).optional(),
      inner: z.strictObject({ values: z.array(z.int()) }).optional(),
    }),
    'input',
  );

  it('are understood from one thing, from JSON as text, and numbers from a text with commas', () => {
    const cases: [object, object][] = [
      [{ numbers: 0.05 }, { numbers: [0.05] }],
      [{ numbers: '0.05' }, { numbers: [0.05] }],
      [{ numbers: '0.01, 0.02,3' }, { numbers: [0.01, 0.02, 3] }],
      [{ numbers: '[0.01,"0.02"]' }, { numbers: [0.01, 0.02] }],
      [{ numbers: ['1', 2] }, { numbers: [1, 2] }],
      [{ texts: 'a,b' }, { texts: ['a,b'] }],
      [{ texts: '5' }, { texts: ['5'] }],
      [{ texts: '["a","b"]' }, { texts: ['a', 'b'] }],
      [{ numbers: null, texts: '' }, {}],
      [{ inner: '{"values":"7"}' }, { inner: { values: [7] } }],
      [{ group: '{"a":null,"b":{"c":""}}' }, { group: { a: null, b: { c: '' } } }],
      [{ group: { x: '5' } }, { group: { x: '5' } }],
    ];
    for (const [sent, meant] of cases) expect(understood(schema, sent), JSON.stringify(sent)).to.deep.equal(meant);
  });

  it('are left as they came where nothing is beyond doubt', () => {
    for (const sent of [
      { numbers: ['a'] },
      { group: 'x' },
      { group: '[1]' },
      { group: `${'{"a":'.repeat(200)}1${'}'.repeat(200)}` },
    ])
      expect(understood(schema, sent)).to.deep.equal(sent);
    expect(understood(schema, { numbers: 'a, b' })).to.deep.equal({ numbers: ['a', ' b'] });
  });
});
