import { expect } from 'chai';
import { LukhasError } from '../../../../src/lib/errors.js';
import {
  formatStatement,
  parseStatement,
  type StatedDecision,
} from '../../../../src/lib/evidence/formats/statement.js';
import { verifyPack } from '../../../../src/lib/evidence/verify/pack.js';
import { PackStatement } from '../../../../src/lib/evidence/verify/statement.js';
import { cases } from '../../../cases.js';
import { refusal } from '../refusal.js';
import { mutate, numbers } from '../signers.js';
import { inMemory, KEYS, seal, type TinyPack, tinyLog, tinyPack } from './tiny-pack.js';

const PACK = tinyPack(tinyLog());
const STATEMENT = JSON.parse(
  Buffer.from(JSON.parse(PACK.get('statement.dsse.json')!.toString()).payload, 'base64').toString(),
);
const PREDICATE = STATEMENT.predicate;
const DECISIONS: StatedDecision[] = PREDICATE.decisions;
const TEXT = JSON.stringify(STATEMENT);
const read = (text: string) => new PackStatement(Buffer.from(text));
const stating = (decisions: readonly unknown[]) =>
  JSON.stringify({ ...STATEMENT, predicate: { ...PREDICATE, decisions } });

describe('the statement of a pack, as it is verified', () => {
  it('says what a reader of JSON finds in it, of any number of decisions', () => {
    for (const count of [0, 1, 511, 512, 513, 1300]) {
      const decisions = Array.from({ length: count }, (_, seq): StatedDecision => {
        const policyDigest = seq % 3 === 0 ? null : `${seq % 10}`.repeat(64);
        return { ...DECISIONS[seq % DECISIONS.length]!, canaryId: `c "${seq}]},`, seq, policyDigest };
      });
      const bytes = formatStatement([{ name: 'a', sha256: '0'.repeat(64) }], { ...PREDICATE, decisions });
      const statement = new PackStatement(bytes);
      expect(statement.length).to.equal(count);
      const all = decisions.map((_, i) => statement.decision(i));
      expect(all).to.deep.equal(decisions);
      // In any order, too.
      expect(statement.decision(0)).to.deep.equal(all[0]);
      expect(statement.decision(count)).to.equal(undefined);
      const promoted = decisions.filter(({ outcome }) => outcome === 'PROMOTED').length;
      expect(statement.countOf('PROMOTED')).to.equal(promoted);
      const named = new Set(decisions.flatMap(({ policyDigest }) => policyDigest ?? []));
      expect(statement.policies).to.deep.equal(named);
      expect(statement.predicate.window).to.deep.equal(PREDICATE.window);
    }
  });

  it('passes over what is not known, whatever its name', () => {
    const decoy = [{ ...DECISIONS[0], outcome: 'none' }];
    const more = {
      decisions: decoy,
      ...STATEMENT,
      'predicate"': { decisions: decoy },
      predicate: {
        before: { decisions: decoy, predicate: { decisions: decoy } },
        'x"decisions': decoy,
        lists: [[decoy], { decisions: decoy }, '"decisions":[', '\\'],
        ...PREDICATE,
        decisions: DECISIONS.map((decision) => ({ ...decision, later: ['decisions', { a: '}]' }] })),
        after: { decisions: decoy },
      },
    };
    const statement = read(JSON.stringify(more));
    expect(DECISIONS.map((_, i) => statement.decision(i))).to.deep.equal(DECISIONS);
    expect(statement.length).to.equal(DECISIONS.length);
  });

  it('has one form: no member twice, no white space, no other spelling', () => {
    const forms = [
      TEXT.replace('"decisions":[', '"decisions":[],"decisions":['),
      TEXT.replace(/]}}$/, '],"decisions":[]}}'),
      TEXT.replace('"outcome":"', '"outcome":"PROMOTED","outcome":"'),
      TEXT.replace('"predicate":{', '"predicate":{},"predicate":{'),
      TEXT.replace(/}$/, ',"predicate":{"decisions":[]}}'),
      TEXT.replace('},{', '}, {'),
      TEXT.replace('"decisions":[', '"decisions": ['),
      TEXT.replace('"decisions"', '"decision\\u0073"'),
      TEXT.replace('"basis":"', '"basis":"\\u0065'),
      TEXT.replace('"seq":', '"seq":-0.0e0'),
      `${TEXT}\n`,
    ];
    for (const form of forms) {
      expect(form).to.not.equal(TEXT);
      expect(
        refusal(() => read(form)),
        form,
      ).to.match(/^statement: is not (JSON$|in canonical form)/);
    }
  });

  it('is refused when it is nested without end, and soon', () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    for (const text of [
      TEXT.replace('"predicate":{', `"predicate":{"later":${deep},`),
      TEXT.replace('"decisions":[{', `"decisions":[{"later":${deep},`),
    ]) {
      expect(refusal(() => read(text))).to.equal('statement: is nested too deeply');
    }
  });

  it('is refused when its list or a decision is not what it has to be', () => {
    expect(refusal(() => read(stating(DECISIONS.with(1, { ...DECISIONS[1]!, basis: 'luck' as 'error' }))))).to.match(
      /^statement: predicate\.decisions\[1\]: basis: must be one of/,
    );
    for (const odd of [null, 7, [DECISIONS[0]], 'text']) refusal(() => read(stating([odd])));
    for (const text of [
      TEXT.replace('"decisions":[', '"decisions":[,'),
      TEXT.replace(/]}}$/, ',]}}'),
      TEXT.replace('},{', '}{'),
      TEXT.replace('},{', '}],[{'),
      TEXT.replace('"decisions":[', '"decisions":7,"other":['),
      TEXT.replace(/"decisions":.*$/, '"decisions":{}}}'),
      TEXT.replace('"decisions"', '"resolutions"'),
      '',
      '[]',
      'null',
      '{',
    ]) {
      refusal(() => read(text));
    }
    const noText = Buffer.from(TEXT);
    noText[TEXT.indexOf('"modelId":"') + '"modelId":"'.length] = 0xff;
    expect(refusal(() => new PackStatement(noText))).to.equal('statement: is not JSON');
  });

  it('is accepted exactly when JSON as a whole would be, after any small change', () => {
    const random = numbers(5);
    const bytes = Buffer.from(stating(DECISIONS.slice(0, 2)));
    const trials = cases(6000);
    let accepted = 0;
    for (let i = 0; i < trials; i++) {
      const changed = mutate(bytes, random);
      const whole = asAWhole(changed.toString());
      const statement = readOrNull(changed);
      expect(statement?.length ?? null, changed.toString()).to.equal(whole?.length ?? null);
      if (statement === null || whole === null) continue;
      accepted++;
      expect(whole.map((_, n) => statement.decision(n))).to.deep.equal(whole);
    }
    expect(accepted).to.be.above(trials / 60);
  });
});

describe('a pack whose statement was signed again by one who has the export key', () => {
  const problems = async (decisions: readonly unknown[]) => {
    const pack: TinyPack = seal(new Map(PACK), KEYS.export, { ...PREDICATE, decisions });
    return (await verifyPack(inMemory(pack), { trust: null })).problems.join('\n');
  };

  it('holds as it was', async () => {
    expect(await problems(DECISIONS)).to.equal('');
  });

  for (const [n, decision] of DECISIONS.entries()) {
    it(`is refused with decision ${n} altered, left out, repeated or elsewhere`, async () => {
      const alike = { PROMOTED: 'BLOCKED' } as Record<string, string>;
      const said = `does not match entry ${decision.seq}, which ended`;
      for (const change of [
        { seq: decision.seq + 1 },
        { canaryId: 'c-other' },
        { outcome: alike[decision.outcome] ?? 'PROMOTED' },
        { basis: decision.basis === 'person' ? 'evidence' : 'person' },
      ]) {
        expect(await problems(DECISIONS.with(n, { ...decision, ...change } as StatedDecision))).to.include(said);
      }
      expect(await problems(DECISIONS.toSpliced(n, 1))).to.include('does not match entry');
      expect(await problems(DECISIONS.toSpliced(n, 0, decision))).to.include(
        `lists ${DECISIONS.length + 1} decisions, the entries have ${DECISIONS.length}`,
      );
      const other = (n + 1) % DECISIONS.length;
      expect(await problems(DECISIONS.with(n, DECISIONS[other]!).with(other, decision))).to.include(said);
    });
  }
});

function readOrNull(bytes: Buffer): PackStatement | null {
  try {
    return new PackStatement(bytes);
  } catch (error) {
    expect(error).to.be.instanceOf(LukhasError);
    return null;
  }
}

/** Its decisions, by a reader that holds all of it. */
function asAWhole(text: string): StatedDecision[] | null {
  try {
    const value = JSON.parse(text);
    return JSON.stringify(value) === text && !text.includes('�') ? parseStatement(value).predicate.decisions : null;
  } catch {
    return null;
  }
}
