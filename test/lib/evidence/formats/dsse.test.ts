import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, Verifier } from '@sigstore/verify';
import { expect } from 'chai';
import type { LukhasError } from '../../../../src/lib/errors.js';
import { preAuthEncoding, signEnvelope, verifyEnvelope } from '../../../../src/lib/evidence/formats/dsse.js';
import { toKeyObject } from '../../../../src/lib/evidence/formats/ed25519.js';
import { STATEMENT_PAYLOAD_TYPE } from '../../../../src/lib/evidence/formats/statement-object.js';
import { refusal } from '../refusal.js';
import { ALICE, BOB, mutate, numbers } from '../signers.js';

/** testvectors/vectors.json of secure-systems-lab/dsse; its keys A and B are those of RFC 8032, as ours. */
const STATEMENT = 'eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEifQ==';
const BY_A = '2WAfaHm5jluo0w+0rk8uVkluELJYWjSmU9x7EUzx+AyteDGJ4/nqyJXfmAUVFIAoQafWm7AxBZNw5M9ixNHiCA==';
const BY_B = 'c1+67/aT0yqEpwx8PsVY3MLHsj9D0CZ014/Fv/QlG59P+9CobUZ7xECJ/V3USG0Ob9CiE5LjReEZUzNF2l7eBw==';
const [A, B] = [ALICE.publicKey, BOB.publicKey];

interface Vector {
  id: string;
  type?: string;
  payload?: string;
  sigs: [sig: string, keyid?: string][];
  trusted?: Buffer[];
  threshold?: number;
  accept: boolean;
}

const VECTORS: Vector[] = [
  { id: 'single-signature', sigs: [[BY_A, 'A']], accept: true },
  {
    id: 'url-safe-base64',
    payload: '-_-_Pj8=',
    sigs: [['P-_KHICeR7tI6S_YyejJTRtrXhcQyQ2LYPaL8h90KjC9qN8HU_svOQ6TuDOT1HIrsGW886DbWNWcCmX5twLrAw==', 'A']],
    accept: true,
  },
  { id: 'payload-type-swapped', type: 'application/vnd.example.other+json', sigs: [[BY_A, 'A']], accept: false },
  {
    id: 'non-ascii-payload-type',
    type: 'application/vnd.exämple+json',
    sigs: [['xmSk/ug66ysT7ayhkCIjhAq42zgZXSsEWuzUaNL7w2eGAdF/NU6/fRXPtmfN+5DNSAs5/i2lUnHjbbjPsu0tAw==', 'A']],
    accept: true,
  },
  {
    id: 'empty-payload',
    payload: '',
    sigs: [['gSggCAaTLTYyRH6FIDBem6meyIynsYy8RTHVzwx9tnTb7Bg/1jMWnuVgI/gffqmbsC2VX5/jHfkkDqsj7CDbDg==', 'A']],
    accept: true,
  },
  {
    id: 'empty-payload-type',
    type: '',
    sigs: [['iC3q/+3Rm0+lpAJRueDmDh15PnwCfxKmS0NAfKsbv+zgulXQC/WM9trc+j1XEqlwDIg/vf/uNfebeD6sxInrDg==', 'A']],
    accept: false,
  },
  {
    id: 'threshold-two-distinct-keys',
    sigs: [
      [BY_A, 'A'],
      [BY_B, 'B'],
    ],
    trusted: [A, B],
    threshold: 2,
    accept: true,
  },
  {
    id: 'threshold-two-one-key-twice',
    sigs: [
      [BY_A, 'A'],
      [BY_A, 'A'],
    ],
    trusted: [A, B],
    threshold: 2,
    accept: false,
  },
  { id: 'threshold-two-without-keyids', sigs: [[BY_A], [BY_B]], trusted: [A, B], threshold: 2, accept: true },
];

const payload = Buffer.from('{"what":"ü"}');
const envelope = signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [ALICE]);
/** Of its own copy: what is verified is used up. */
const verify = (text: string | Buffer, by: Parameters<typeof verifyEnvelope>[1] = options) =>
  verifyEnvelope(Buffer.from(text as string), by);

const options = { payloadType: STATEMENT_PAYLOAD_TYPE, trusted: [A] };

describe('DSSE envelopes', () => {
  it('encode what is signed as the protocol says', () => {
    const encoded = preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world'));
    expect(encoded.toString()).to.equal('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  for (const {
    id,
    type = STATEMENT_PAYLOAD_TYPE,
    payload = STATEMENT,
    sigs,
    trusted = [A],
    threshold,
    accept,
  } of VECTORS) {
    it(`${accept ? 'accept' : 'refuse'} the published vector ${id}`, () => {
      const signatures = sigs.map(([sig, keyid]) => ({ sig, ...(keyid === undefined ? {} : { keyid }) }));
      const text = JSON.stringify({ payload, payloadType: type, signatures });
      const run = () => verify(text, { payloadType: type, trusted, ...(threshold ? { threshold } : {}) });
      if (accept) expect(run().signedBy).to.deep.equal(trusted);
      else refusal(run);
    });
  }

  it('are made as the published vector', () => {
    const { signatures } = JSON.parse(signEnvelope(STATEMENT_PAYLOAD_TYPE, Buffer.from(STATEMENT, 'base64'), [ALICE]));
    expect(signatures[0].sig).to.equal(BY_A);
  });

  it('give back what was signed, and whether they are as they were written', () => {
    const found = verify(envelope);
    expect(found.payload).to.deep.equal(payload);
    expect(found).to.include({ exact: true });
    const spaced = JSON.stringify(JSON.parse(envelope), null, 1);
    expect(verify(spaced)).to.include({ exact: false });
    const two = signEnvelope(STATEMENT_PAYLOAD_TYPE, payload, [ALICE, BOB]);
    expect(verify(two, { ...options, trusted: [B, A] })).to.include({ exact: true });
    expect(verify(two)).to.include({ exact: false });
  });

  it('give back payloads of any length', () => {
    for (const length of [0, 1, 2, 3, 196_607, 196_608, 196_609, 400_001]) {
      const long = Buffer.alloc(length, 'ü+/?>');
      const text = signEnvelope(STATEMENT_PAYLOAD_TYPE, long, [ALICE]);
      const found = verify(text);
      expect(found.payload.equals(long), `${length}`).to.equal(true);
      expect(found.exact).to.equal(true);
      const bent = text.replace('w7w', 'w7x');
      if (length > 2) expect(refusal(() => verify(bent))).to.include('signed by 0 of the trusted keys');
    }
    const padded = signEnvelope(STATEMENT_PAYLOAD_TYPE, Buffer.alloc(400_000), [ALICE]);
    const at = padded.indexOf('AAAA') + 262_142;
    expect(refusal(() => verify(`${padded.slice(0, at)}==${padded.slice(at + 2)}`))).to.include('is not base64');
  });

  it('hold the payload that a reader of JSON finds, and are not exact when there are two or it is spelt otherwise', () => {
    const { payload: text, payloadType, signatures } = JSON.parse(envelope);
    const rest = JSON.stringify({ payloadType, signatures }).slice(1);
    const other = Buffer.from('{"what":"other"}').toString('base64');
    const spelt = `\\u00${text.charCodeAt(0).toString(16)}${text.slice(1)}`;
    const forms = [
      `{"payload":"${other}","payload":"${text}",${rest}`,
      `{"payload":"${other}","payloa\\u0064":"${text}",${rest}`,
      `{"payload":"${spelt}",${rest}`,
      `{"payload":"${text}","what":"payload",${rest}`,
      `{${rest.slice(0, -1)},"payload":"${text}"}`,
    ];
    for (const form of forms) {
      expect(JSON.parse(form).payload).to.equal(text);
      expect(verify(form), form).to.deep.include({ payload, exact: false });
    }
    expect(refusal(() => verify(`{"payload":"${text}","payload":"${other}",${rest}`))).to.match(/signed by 0/);
    const safe = signEnvelope(STATEMENT_PAYLOAD_TYPE, Buffer.from('ü~?>'), [ALICE]);
    expect(safe).to.include('+');
    expect(verify(safe.replace('+', '-'))).to.include({ exact: false });
  });

  it('are refused in another form', () => {
    const { signatures } = JSON.parse(envelope);
    const forms = [
      '',
      'null',
      '{}',
      '{"payload":',
      JSON.stringify({ payloadType: STATEMENT_PAYLOAD_TYPE, signatures }),
      JSON.stringify({ payload: 'e30=', payloadType: STATEMENT_PAYLOAD_TYPE, signatures: [] }),
      JSON.stringify({ payload: 'e30', payloadType: STATEMENT_PAYLOAD_TYPE, signatures }),
      JSON.stringify({ payload: 'e30=', payloadType: STATEMENT_PAYLOAD_TYPE, signatures: [{ sig: '!' }] }),
    ];
    for (const form of forms) refusal(() => verify(form));
    refusal(() => verify(envelope, { ...options, payloadType: 'application/json' }));
    refusal(() => verify(envelope, { ...options, trusted: [B] }));
    refusal(() => verify(envelope, { ...options, trusted: [] }));
  });

  it('are not exact, if they hold at all, after any small change', () => {
    const random = numbers(9);
    const bytes = Buffer.from(envelope);
    for (let i = 0; i < 2000; i++) {
      const changed = mutate(bytes, random);
      if (changed.equals(bytes)) continue;
      try {
        const found = verify(changed);
        expect(found.payload).to.deep.equal(payload);
        expect(found.exact).to.equal(false);
      } catch (error) {
        expect((error as LukhasError).code).to.equal('VERIFICATION');
      }
    }
  });

  it('verify with sigstore, and do not when changed', () => {
    const check = (text: string) => {
      const bundle = bundleFromJSON({
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: { publicKey: { hint: 'export' }, tlogEntries: [] },
        dsseEnvelope: JSON.parse(text),
      });
      const trust = {
        certificateAuthorities: [],
        timestampAuthorities: [],
        tlogs: [],
        ctlogs: [],
        publicKey: () => ({ publicKey: toKeyObject(A), validFor: () => true }),
      };
      new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }).verify(
        toSignedEntity(bundle),
      );
    };
    check(envelope);
    const changed = { ...JSON.parse(envelope), payload: Buffer.from('{"what":"u"}').toString('base64') };
    expect(() => check(JSON.stringify(changed))).to.throw('signature verification failed');
  });
});
