import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { fingerprint } from '../../../../src/lib/evidence/formats/public-key.js';
import {
  type EvidencePredicate,
  formatStatement,
  parseStatement,
  predicateJsonSchema,
} from '../../../../src/lib/evidence/formats/statement.js';
import { refusal } from '../refusal.js';
import { ALICE } from '../signers.js';

const HASH = 'ab'.repeat(32);
const PREDICATE: EvidencePredicate = {
  generator: { name: 'lukhas', version: '0.1.0', judge: '1' },
  window: { from: '2026-01-01T00:00:00Z', to: '2026-01-31T00:00:00.000Z', firstSeq: 10, endSeq: 20 },
  log: { origin: 'example.com/log', size: 20, root: HASH, key: fingerprint(ALICE.publicKey) },
  counts: {
    promoted: 1,
    rolledBack: 1,
    blocked: 0,
    aborted: 0,
    failed: 0,
    rejected: 1,
    overridden: 1,
    breakGlass: 0,
    breakGlassUnreviewed: 0,
  },
  decisions: [
    {
      seq: 12,
      canaryId: 'c-1',
      modelId: 'm',
      fromGate: 'a',
      toGate: 'b',
      outcome: 'ROLLED_BACK',
      basis: 'evidence',
      policyDigest: HASH,
    },
    {
      seq: 15,
      canaryId: 'c-2',
      modelId: 'm',
      fromGate: 'a',
      toGate: 'b',
      outcome: 'REJECTED',
      basis: 'person',
      policyDigest: null,
    },
  ],
};
const SUBJECTS = [{ name: 'SHA256SUMS', sha256: HASH }];

describe('statements', () => {
  it('are in-toto Statements v1 and read back', () => {
    const bytes = formatStatement(SUBJECTS, PREDICATE);
    const json = JSON.parse(bytes.toString());
    expect(Object.keys(json)).to.deep.equal(['_type', 'subject', 'predicateType', 'predicate']);
    expect(json._type).to.equal('https://in-toto.io/Statement/v1');
    expect(json.subject).to.deep.equal([{ name: 'SHA256SUMS', digest: { sha256: HASH } }]);
    expect(json.predicateType).to.equal('lukhas:evidence-pack/v1');
    expect(parseStatement(json).predicate).to.deep.equal(PREDICATE);
  });

  it('are the same bytes whatever the order of what they are made of', () => {
    const { decisions, counts, log, window, generator } = PREDICATE;
    const other = {
      decisions,
      counts,
      log: Object.fromEntries(Object.entries(log).reverse()) as typeof log,
      window,
      generator,
    };
    expect(formatStatement(SUBJECTS, other)).to.deep.equal(formatStatement(SUBJECTS, PREDICATE));
  });

  it('keep what is not known out of the way', () => {
    const json = JSON.parse(formatStatement(SUBJECTS, PREDICATE).toString());
    const more = { ...json, predicate: { ...json.predicate, later: 1 } };
    expect(parseStatement(more).predicate).to.deep.equal(PREDICATE);
  });

  it('are refused when they say something else', () => {
    const json = JSON.parse(formatStatement(SUBJECTS, PREDICATE).toString());
    const wrong = [
      { ...json, _type: 'https://in-toto.io/Statement/v0.1' },
      { ...json, predicateType: 'https://slsa.dev/provenance/v1' },
      { ...json, subject: [] },
      { ...json, subject: [{ name: 'x', digest: { sha256: 'AB' } }] },
      { ...json, predicate: { ...json.predicate, decisions: undefined } },
      {
        ...json,
        predicate: { ...json.predicate, window: { ...json.predicate.window, from: '2026-01-01T00:00:00+02:00' } },
      },
    ];
    for (const statement of wrong) refusal(() => parseStatement(statement));
    refusal(() => formatStatement([], PREDICATE));
  });

  it('have the schema that the documents show', () => {
    const file = new URL('../../../../docs/schemas/evidence-pack-v1.schema.json', import.meta.url);
    expect(JSON.parse(readFileSync(file, 'utf8'))).to.deep.equal(predicateJsonSchema());
  });
});
