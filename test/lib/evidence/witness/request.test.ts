import { expect } from 'chai';
import fc from 'fast-check';
import { LukhasError } from '../../../../src/lib/errors.js';
import { formatAddCheckpoint, parseAddCheckpoint } from '../../../../src/lib/evidence/witness/request.js';

/** The request of https://c2sp.org/tlog-witness. */
const SPECIFIED = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
`;
const HASH = Buffer.alloc(32, 7).toString('base64');

describe('requests to a witness', () => {
  it('are read as specified', () => {
    const { oldSize, proof, note } = parseAddCheckpoint(Buffer.from(SPECIFIED));
    expect(oldSize).to.equal(20_852_014);
    expect(proof).to.have.length(4);
    expect(note.split('\n')[1]).to.equal('20852163');
    expect(formatAddCheckpoint({ oldSize, proof, note })).to.equal(SPECIFIED);
  });

  it('come out as they went in', () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.array(hash, { maxLength: 63 }), fc.string(), (oldSize, proof, note) => {
        const whole = Buffer.from(note).toString('utf8');
        const request = { oldSize, proof, note: whole };
        expect(parseAddCheckpoint(Buffer.from(formatAddCheckpoint(request)))).to.deep.equal(request);
      }),
    );
  });

  const wrong: Record<string, string> = {
    'nothing at all': '',
    'no empty line': 'old 1\n',
    'no old size': `${HASH}\n\nnote`,
    'another word': 'new 1\n\nnote',
    'a leading zero': 'old 01\n\nnote',
    'a sign': 'old +1\n\nnote',
    'a size beyond what numbers hold': 'old 9007199254740993\n\nnote',
    'a carriage return': 'old 1\r\n\r\n\n\nnote',
    'a short hash': `old 1\n${HASH.slice(4)}\n\nnote`,
    'a hash without padding': `old 1\n${HASH.slice(0, -1)}\n\nnote`,
    'a hash in another alphabet': `old 1\n${HASH.replace('/', '_').replace(/^./, '-')}\n\nnote`,
    '64 hashes': `old 1\n${`${HASH}\n`.repeat(64)}\nnote`,
  };
  for (const [what, body] of Object.entries(wrong)) {
    it(`are refused with ${what}`, () => {
      expect(() => parseAddCheckpoint(Buffer.from(body))).to.throw(LukhasError, /^request: /);
    });
  }

  it('are refused when they are no UTF-8', () => {
    expect(() => parseAddCheckpoint(Buffer.from([0x6f, 0xff, 0x0a, 0x0a]))).to.throw(/UTF-8/);
  });
});
