import { expect } from 'chai';
import fc from 'fast-check';
import { CsvLines } from '../../../../src/lib/evidence/pack/csv.js';
import { csvRow } from '../../../../src/lib/evidence/verify/csv.js';
import { canonicalJson } from '../../../../src/lib/ledger/tree/canonical.js';

const NAMES = [
  'modelId',
  'fromGate',
  'toGate',
  'gate',
  'by',
  'requestedBy',
  'verdict',
  'action',
  'reason',
  'who',
  'data',
];
const INNER = ['who', 'decision', 'reason', 'kind', 'by', 'modelId'];

/** Texts with all that is quoted, escaped, or run by spreadsheets. */
const text = fc.oneof(
  fc.constantFrom(
    '',
    'fraud-v2',
    '=1+1',
    'a "b"',
    'a,b',
    '\\',
    '\\"',
    'x\n',
    '","kind":"',
    '{"who":"x"}',
    'né',
    '＝1',
    '😀',
  ),
  fc.string({ unit: 'binary' }),
);
/** Those that JavaScript gives a meaning of their own are no members of events. */
const name = text.filter((s) => !(s in Object.prototype));
const scalar = fc.oneof(
  text,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const inner = fc.dictionary(fc.oneof(fc.constantFrom(...INNER), name), fc.oneof(scalar, fc.array(scalar)));
/** Whatever members have these names, also deeper than where they are looked for. */
const data = fc.dictionary(
  fc.oneof(fc.constantFrom(...NAMES), name),
  fc.oneof(scalar, inner, fc.array(inner), fc.record({ verdict: inner, by: inner })),
);
const event = fc.record({ data, kind: text, seq: fc.nat(), subject: text, ts: text, v: fc.constant(1) });

describe('audits.csv', () => {
  it('leaves a field empty where an event has an object, as the gate of an approval', () => {
    const approval = { data: { gate: { holder: 'v1' } }, kind: 'canary.approved', seq: 7, subject: 'c', ts: 't', v: 1 };
    const row = new CsvLines().of(Buffer.from(`${canonicalJson(approval, 'event')},\n`)).toString();
    expect(row).to.equal('7,t,canary.approved,c,,,,,,,"{""gate"":{""holder"":""v1""}}"\r\n');
  });

  it('says of any event what its verifier works out from the parsed one', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 4 }), (events) => {
        // No kind of event has empty data.
        fc.pre(events.every((each) => Object.keys(each.data).length > 0));
        const page = Buffer.from(events.map((each) => `${canonicalJson(each)},\n`).join(''));
        const rows = events.map((each) => csvRow(JSON.parse(canonicalJson(each)), canonicalJson(each.data)));
        expect(new CsvLines().of(page).toString()).to.equal(rows.join(''));
      }),
      { numRuns: 50 },
    );
  });
});
