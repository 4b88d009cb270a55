import { expect } from 'chai';
import { toOpenSsh, toSpkiPem } from '../../../../src/lib/evidence/formats/public-key.js';
import { packSigners, whyNotForPacks } from '../../../../src/lib/evidence/keys/authority.js';
import { parseTrustedKeys } from '../../../../src/lib/evidence/keys/trust.js';
import { refusal } from '../refusal.js';
import { ALICE, BOB } from '../signers.js';

const KEY = toOpenSsh(ALICE.publicKey, 'lukhas-export');
const NOW = Date.UTC(2026, 0, 1);
const read = (text: string) => parseTrustedKeys(text, '--trust signers', NOW);

describe('lines of allowed_signers among trusted keys', () => {
  it('count for packs only while they admit the principal, the namespace and the time, and say why not', () => {
    const line = `lukhas-export namespaces="lukhas-evidence" ${KEY}`;
    expect(packSigners(read(line))).to.deep.equal([ALICE.publicKey]);
    for (const [text, why] of [
      [`lukhas-export valid-before="20251231Z" ${KEY}`, 'expired (valid-before 20251231Z)'],
      [`lukhas-export valid-after="20260102Z" ${KEY}`, 'not valid yet (valid-after 20260102Z)'],
      [`lukhas-export namespaces="git" ${KEY}`, 'its namespaces (git) do not include lukhas-evidence'],
    ] as const) {
      expect(refusal(() => packSigners(read(text)))).to.include(
        `no trusted key for packs (--trust signers, line 1: ${why}); pass`,
      );
      expect(whyNotForPacks(ALICE.publicKey, read(text))).to.equal(`--trust signers, line 1: ${why}`);
      // Another line may admit it.
      expect(packSigners(read(`${text}\n${line}`))).to.deep.equal([ALICE.publicKey]);
      expect(whyNotForPacks(ALICE.publicKey, read(`${text}\n${line}`))).to.equal(null);
      expect(whyNotForPacks(BOB.publicKey, read(text))).to.equal(null);
    }
  });

  it('for other principals are passed over, whatever they hold', () => {
    const others = ['alice ssh-rsa AAAA', 'bob cert-authority whatever', 'c,d nonsense="'];
    expect(read([...others, KEY].join('\n'))).to.have.length(1);
    expect(refusal(() => read(others.join('\n')), 'USAGE')).to.equal(
      '--trust signers: contains no public key for lukhas-export: its lines are for the principals "alice bob c,d"',
    );
  });

  it('are refused by name for what is not supported or not known', () => {
    for (const [options, why] of [
      ['cert-authority ', 'cert-authority is not supported'],
      ['no-touch-required ', 'unknown option "no-touch-required"'],
      ['namespaces="a",verify-required ', 'unknown option "verify-required"'],
      ['namespaces="a"x ', 'unknown option "x"'],
      ['namespaces=a ', 'the value of namespaces is not in double quotes'],
      ['namespaces="a" namespaces="b" ', 'no public key after principals and options'],
      ['namespaces="a",Namespaces="b" ', 'has the option Namespaces twice'],
      ['valid-before="soon" ', 'valid-before: not a time of the form YYYYMMDD[HHMM[SS]][Z]'],
      ['valid-after="20300101Z",valid-before="20200101Z" ', 'valid-before is not after valid-after'],
      ['namespaces="a ', 'a quote is not closed'],
    ] as const) {
      const message = refusal(() => read(`# ours\nlukhas-export ${options}${KEY}`), 'USAGE');
      expect(message, options).to.equal(
        `--trust signers, line 2: allowed_signers: ${why}`.replace(
          /$/,
          message.endsWith('itself') ? '; list the key itself' : '',
        ),
      );
    }
    const cert = `ssh-ed25519-cert-v01@openssh.com ${KEY.split(' ')[1]}`;
    expect(refusal(() => read(`lukhas-export ${cert}`), 'USAGE')).to.include('certificates are not supported');
    expect(refusal(() => read(cert), 'USAGE')).to.include('is of type ssh-ed25519-cert-v01@openssh.com');
    expect(refusal(() => read('lukhas-export ssh-rsa AAAA'), 'USAGE')).to.include(
      'is of type ssh-rsa, not ssh-ed25519',
    );
  });

  it('take no longer for patterns made to take long', () => {
    const pattern = `${'*a'.repeat(2000)}*,${'*?'.repeat(2000)}`;
    expect(refusal(() => read(`${pattern} ${KEY}`), 'USAGE')).to.include('contains no public key for lukhas-export');
  });

  it('stand beside keys without principals', () => {
    expect(read(`${KEY}\n${toSpkiPem(BOB.publicKey)}`).map(({ kind }) => kind)).to.deep.equal(['openssh', 'pem']);
  });
});
