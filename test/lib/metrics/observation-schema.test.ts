import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { LukhasError } from '../../../src/lib/errors.js';
import { MISSING_STATES } from '../../../src/lib/judge/observation.js';
import {
  observationJsonSchema,
  parseObservation,
  parseObservationInput,
} from '../../../src/lib/metrics/observation-schema.js';

const LATENCY = { state: 'ok', bounds: [50, 180, 250, 1000], counts: [1, 2, 3, 4, 0.5] };
const GOOD = {
  v: 1,
  tick: 3,
  t: 2000,
  from: 1000,
  canary: { errors: { state: 'ok', bad: 1, total: 10 }, latency: LATENCY, inflight: 2, resets: 0 },
  baseline: { score: { state: 'ok', bounds: [-1, 0], counts: [1, 1, 1] }, errors: { state: 'absent', detail: 'x' } },
  scalars: { 'my drift': { state: 'ok', value: -3 }, other: { state: 'stale' } },
  notes: ['a note'],
};

function thrownBy(work: () => unknown): LukhasError {
  try {
    work();
  } catch (error) {
    if (error instanceof LukhasError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('parseObservation', () => {
  it('gives what was written', () => {
    expect(parseObservation(JSON.stringify(GOOD), 'x:1')).to.deep.equal(GOOD);
    for (const state of MISSING_STATES) {
      const canary = { errors: { state }, latency: { state, detail: 'why' }, score: { state } };
      const observation = { v: 1, tick: 0, t: 0, from: 0, canary };
      expect(parseObservation(JSON.stringify(observation), 'x:1')).to.deep.equal(observation);
    }
  });

  const canary = (signals: object) => ({ ...GOOD, canary: signals });
  for (const [line, message] of [
    [canary({ latency: { ...LATENCY, counts: [1, 2, 3, 4] } }), 'canary.latency.counts: expected 5 numbers, got 4'],
    [
      canary({ latency: { ...LATENCY, bounds: [50, 180, 180, 1000] } }),
      'canary.latency.bounds[2]: expected more than 180, got 180',
    ],
    [
      { ...GOOD, baseline: { score: { state: 'ok', bounds: [], counts: [1] } } },
      'baseline.score.bounds: Too small: expected array to have >=1 items',
    ],
    [canary({ errors: { state: 'ok', bad: 3, total: 2 } }), 'canary.errors.bad: 3 of 2: more than all'],
    [canary({ errors: { state: 'ok', bad: -1, total: 2 } }), 'canary.errors.bad: Too small: expected number to be >=0'],
    [canary({ errors: { state: 'ok', bad: '1', total: 2 } }), 'canary.errors.bad: expected number, received string'],
    [canary({ errors: { bad: 1, total: 2 } }), /^canary\.errors\.state: expected "ok" or one of first, unchanged, /],
    [canary({ errors: { state: 'none' } }), /^canary\.errors\.state: expected "ok" or one of first, unchanged, /],
    [canary({ errors: { state: 'absent', bad: 1 } }), 'canary.errors: Unrecognized key: "bad"'],
    [canary({ latancy: LATENCY }), 'canary: Unrecognized key: "latancy"'],
    [{ ...GOOD, scalars: { d: { state: 'ok', value: null } } }, 'scalars.d.value: expected number, received null'],
    [
      canary({ errors: { state: 'ok', bad: 0, total: 1e308 } }),
      /^canary\.errors\.total: too large, at most 9007199254/,
    ],
    [canary({ latency: { ...LATENCY, counts: [1, 2, 2 ** 53, 4, 5] } }), /^canary\.latency\.counts\[2\]: too large/],
    [canary({ inflight: 1e16 }), /^canary\.inflight: too large/],
    [{ ...GOOD, scalars: { d: { state: 'ok', value: -1e308 } } }, /^scalars\.d\.value: too large/],
    [{ ...GOOD, t: 8.65e15 }, 't: too large for milliseconds since the epoch'],
    [{ ...GOOD, from: -1 }, 'from: Too small: expected number to be >=0'],
    [{ ...GOOD, from: 2001 }, 'from: later than t'],
    [{ ...GOOD, t: 1.5 }, 't: expected int, received number'],
    [{ ...GOOD, v: 2 }, 'v: expected 1'],
    [{ ...GOOD, tick: undefined }, 'tick: expected number, received undefined'],
    [{ ...GOOD, canary: undefined }, 'canary: expected object, received undefined'],
    [[], 'expected object, received array'],
  ] as const) {
    it(`refuses: ${message}`, () => {
      const error = thrownBy(() => parseObservation(JSON.stringify(line), 'observations.ndjson:12'));
      expect(error.code).to.equal('OBSERVATION');
      expect(error.message).to.match(/^observations\.ndjson:12: /);
      const rest = error.message.slice('observations.ndjson:12: '.length);
      if (typeof message === 'string') expect(rest).to.equal(message);
      else expect(rest).to.match(message);
    });
  }

  it('refuses what is no JSON, and numbers beyond all bounds', () => {
    expect(() => parseObservation('{"v":1,', 'x:3')).to.throw(/^x:3: not JSON \(/);
    const huge = JSON.stringify(GOOD).replace('"total":10', '"total":1e999');
    expect(() => parseObservation(huge, 'x:3')).to.throw(/^x:3: canary\.errors\.total: /);
  });

  it('takes the largest counts and times', () => {
    const errors = { state: 'ok', bad: 0, total: Number.MAX_SAFE_INTEGER };
    const observation = { v: 1, tick: 0, t: 8.64e15, from: 0, canary: { errors } };
    expect(parseObservation(JSON.stringify(observation), 'x:1')).to.deep.equal(observation);
  });

  it('refuses a key that is given twice, and only such', () => {
    const line = (more: string) => `{"v":1,"tick":0,"t":1,"from":0,"canary":{"inflight":1},${more}}`;
    expect(() => parseObservation(line('"t":2'), 'x:1')).to.throw('x:1: "t" is given twice');
    expect(() => parseObservation(line('"baseline":{"inflight":1,"infl\\u0069ght" :2}'), 'x:1')).to.throw(
      'x:1: "inflight" is given twice',
    );
    const notes = ['"t":1,"t":2', 't', 't', '{', '\\', '"', '}'];
    const baseline = { inflight: 2 };
    const fine = line(JSON.stringify({ baseline, notes }).slice(1, -1));
    expect(parseObservation(fine, 'x:1')).to.deep.include({ baseline, notes });
  });

  it('lets an input leave out its ticks', () => {
    const { tick: _, ...rest } = GOOD;
    expect(parseObservationInput(JSON.stringify(rest), 'x:1')).to.deep.equal(rest);
    expect(parseObservationInput(JSON.stringify(GOOD), 'x:1')).to.deep.equal(GOOD);
    expect(() => parseObservationInput(JSON.stringify({ ...rest, from: 9999 }), 'x:1')).to.throw('from: later than t');
  });

  it('has a JSON schema with the same fields', () => {
    const schema = observationJsonSchema() as { properties: object; required: string[]; additionalProperties: boolean };
    expect(Object.keys(schema.properties)).to.have.members(Object.keys(GOOD));
    expect(schema.required).to.have.members(['v', 'tick', 't', 'from', 'canary']);
    expect(schema.additionalProperties).to.equal(false);
  });

  it('reads the examples of its documentation, which names every state', () => {
    const text = readFileSync(new URL('../../../docs/observations.md', import.meta.url), 'utf8');
    const examples = [...text.matchAll(/```ndjson\n([^`]*)```/g)].flatMap(([, lines]) => lines!.trim().split('\n'));
    expect(examples).to.have.length(6);
    for (const [i, line] of examples.entries()) parseObservationInput(line, `example ${i + 1}`);
    for (const state of MISSING_STATES) expect(text).to.contain(`| \`${state}\` |`);
  });
});
