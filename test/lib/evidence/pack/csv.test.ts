import { expect } from 'chai';
import fc from 'fast-check';
import { CSV_HEADER, CsvLines } from '../../../../src/lib/evidence/pack/csv.js';
import { csvRow } from '../../../../src/lib/evidence/verify/csv.js';
import { canonicalJson } from '../../../../src/lib/ledger/tree/canonical.js';
import { cases } from '../../../cases.js';

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

const FORM = { form: 2, bom: false } as const;

/** Texts that try to begin a cell of some reader, and a formula in it. */
const hostile = fc
  .array(
    fc.constantFrom(
      ...[
        ',',
        ';',
        '\t',
        '\n',
        '\r',
        '\r\n',
        '"',
        "'",
        ' ',
        '\u00a0',
        '\ufeff',
        '\0',
        '=',
        '+',
        '-',
        '@',
        '＝',
        '＋',
        '－',
        '＠',
      ],
      ...['a', '1', '\\', '\u2028', '{', '}', '=1+1', ';=1', '";=1', ',-1', '";"'],
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));
const said = fc.oneof({ weight: 4, arbitrary: hostile }, text);
const hostileEvent = fc.record({
  data: fc.record({
    by: fc.record({ who: said }),
    fromGate: said,
    modelId: said,
    numbers: fc.array(fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))),
    reason: said,
    toGate: said,
    verdict: fc.record({ decision: said }),
    x: fc.dictionary(
      said.filter((key) => key !== '__proto__'),
      said,
    ),
  }),
  kind: said,
  seq: fc.nat(),
  subject: said,
  ts: said,
  v: fc.constant(1),
});

/** As lenient readers do (Python's csv, spreadsheets): a quote opens only at the start of a cell; what follows the closing one is text. */
function cellsOf(csv: string, separators: string): string[][] {
  const rows: string[][] = [[]];
  let [cell, at, state] = ['', 0, 'start' as 'start' | 'text' | 'quoted'];
  const end = () => {
    rows.at(-1)!.push(cell);
    [cell, state] = ['', 'start'];
  };
  for (; at < csv.length; at++) {
    const c = csv[at]!;
    if (state === 'quoted') {
      if (c !== '"') cell += c;
      else if (csv[at + 1] === '"') cell += csv[++at];
      else state = 'text';
    } else if (c === '"' && state === 'start') state = 'quoted';
    else if (separators.includes(c)) end();
    else if (c === '\r' || c === '\n') {
      if (c === '\r' && csv[at + 1] === '\n') at++;
      end();
      rows.push([]);
    } else [cell, state] = [cell + c, 'text'];
  }
  end();
  return rows;
}

/** Knows no quotes, and ends lines in each of the ways that programs do. */
function naiveCells(csv: string, separators: string): string[] {
  return [/\n/, /\r\n|\r|\n/].flatMap((line) =>
    csv.split(line).flatMap((row) => row.split(new RegExp(`[${separators}]`))),
  );
}

const STARTS = /^[=+\-@\t\r＝＋－＠]/;
const STARTS_AFTER_DROPPED = /^["\s\p{Z}\p{Cf}\p{Cc}]*[=+\-@＝＋－＠]/u;

describe('audits.csv', () => {
  const page = (events: readonly object[]) => Buffer.from(events.map((each) => `${canonicalJson(each)},\n`).join(''));
  const some = fc.array(hostileEvent, { minLength: 1, maxLength: 3 });

  it('has no cell that could be a formula, whatever separates the cells, with quotes or without', () => {
    fc.assert(
      fc.property(some, (events) => {
        const csv = CSV_HEADER + new CsvLines().of(page(events)).toString();
        for (const separators of [',', ';', '\t', ',;\t']) {
          const formulas = [
            ...cellsOf(csv, separators)
              .flat()
              .filter((cell) => STARTS_AFTER_DROPPED.test(cell) || STARTS.test(cell)),
            ...naiveCells(csv, separators).filter((cell) => STARTS.test(cell)),
          ];
          // An assertion of each cell would take longer than everything else here.
          if (formulas.length > 0) expect(formulas, JSON.stringify([separators, csv])).to.deep.equal([]);
        }
      }),
      { numRuns: cases(3000), includeErrorInReport: true },
    );
  });

  it('gives back what was logged where commas separate, and the same columns where semicolons and tabs do, too', () => {
    const unmarked = (cell: string) => cell.replace(/(?<=^|[,;\t\n]|\r(?!\n))'/g, '');
    fc.assert(
      fc.property(some, (events) => {
        const csv = CSV_HEADER + new CsvLines().of(page(events)).toString();
        const rows = cellsOf(csv, ',');
        expect(cellsOf(csv, ',;\t')).to.deep.equal(rows);
        expect(rows.length).to.equal(events.length + 2);
        for (const [i, { seq, ts, kind, subject, data }] of events.entries()) {
          const logged = [ts, kind, subject, data.modelId, data.fromGate, data.toGate, data.by.who];
          logged.push(data.verdict.decision, data.reason);
          const row = rows[i + 1]!;
          const read = [...row.slice(1, -1).map(unmarked), row.at(-1)];
          // UTF-8 has no half surrogates.
          expect(read.slice(0, -1)).to.deep.equal(logged.map((value) => value.toWellFormed()));
          expect([row[0], JSON.parse(read.at(-1)!)]).to.deep.equal([`${seq}`, JSON.parse(canonicalJson(data))]);
        }
      }),
      { numRuns: cases(2000) },
    );
  });

  it('keeps every formula character inside, and marks each place where one could begin', () => {
    const marked = (reason: string) =>
      csvRow({ seq: 0, ts: 't', kind: 'k', subject: 's', data: { reason } }, '{}', FORM)
        .split(',')
        .slice(9, -1)
        .join(',');
    expect(marked('error rate 3-5% @ peak = bad')).to.equal('error rate 3-5% @ peak = bad');
    expect(marked('slow; see the dashboard')).to.equal('"slow; see the dashboard"');
    expect(marked('slow;=1+1\t@x\n-3, +4')).to.equal("\"slow;'=1+1\t'@x\n'-3,' +4\"");
    expect(marked("'quoted'")).to.equal("''quoted'");
    expect(marked('two\r\nlines')).to.equal('"two\r\nlines"');
  });

  it('leaves a field empty where an event has an object, as the gate of an approval', () => {
    const approval = { data: { gate: { holder: 'v1' } }, kind: 'canary.approved', seq: 7, subject: 'c', ts: 't', v: 1 };
    const row = new CsvLines().of(Buffer.from(`${canonicalJson(approval, 'event')},\n`)).toString();
    expect(row).to.equal('7,t,canary.approved,c,,,,,,,"{""gate"":{""holder"":""v1""}}"\r\n');
  });

  it('says of any event what its verifier works out from the parsed one', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(event, hostileEvent), { minLength: 1, maxLength: 4 }), (events) => {
        // No kind of event has empty data.
        fc.pre(events.every((each) => Object.keys(each.data).length > 0));
        const rows = events.map((each) => csvRow(JSON.parse(canonicalJson(each)), canonicalJson(each.data), FORM));
        expect(new CsvLines().of(page(events)).toString()).to.equal(rows.join(''));
      }),
      { numRuns: cases(2000, 100) },
    );
  });
});
