import { createPublicKey } from 'node:crypto';
import { expect } from 'chai';
import {
  fingerprint,
  parseOpenSsh,
  parseSpkiPem,
  toAllowedSigner,
  toOpenSsh,
  toSpkiPem,
} from '../../../../src/lib/evidence/formats/public-key.js';
import { formatVkey, parseVkey, SIGNATURE_TYPE } from '../../../../src/lib/evidence/formats/vkey.js';
import { originOfKey, publicForms } from '../../../../src/lib/evidence/keys/public-forms.js';
import { parseTrustedKeys } from '../../../../src/lib/evidence/keys/trust.js';
import { refusal } from '../refusal.js';
import { ALICE, BOB } from '../signers.js';

/** A key of OpenSSH with the fingerprint that ssh-keygen gives it (the key of a test of filippo.io/torchwood). */
const SSH = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF6m5IkOD+dDeVOMZw7qkwA/j5D07HKUsaVvjYoygx7C';
const SSH_FINGERPRINT = 'SHA256:8p25WQhnqHBihn+mIjp072aw0WpE9qw7xgW3uRsPSHo';

describe('public keys', () => {
  it('have the fingerprint of ssh-keygen', () => {
    expect(fingerprint(parseOpenSsh(SSH).publicKey)).to.equal(SSH_FINGERPRINT);
  });

  it('are written as OpenSSH and read back', () => {
    expect(toOpenSsh(parseOpenSsh(SSH).publicKey, '')).to.equal(SSH);
    const line = toOpenSsh(ALICE.publicKey, 'two words');
    expect(parseOpenSsh(line)).to.deep.equal({ publicKey: ALICE.publicKey, comment: 'two words' });
    expect(parseOpenSsh(`${line}\n`).publicKey).to.deep.equal(ALICE.publicKey);
  });

  it('are written as PEM, which node:crypto reads, and read back', () => {
    const pem = toSpkiPem(ALICE.publicKey);
    expect(createPublicKey(pem).asymmetricKeyType).to.equal('ed25519');
    expect(parseSpkiPem(pem)).to.deep.equal(ALICE.publicKey);
  });

  it('stand in allowed_signers for one purpose only', () => {
    const line = toAllowedSigner(ALICE.publicKey, { principal: 'who', namespace: 'what', comment: 'c' });
    expect(line).to.match(/^who namespaces="what" ssh-ed25519 AAAA\S+ c$/);
  });

  it('are refused in another form', () => {
    const lines = [
      '',
      'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ==',
      'ssh-ed25519',
      'ssh-ed25519 AAAA',
      SSH.replace('AAAAC3', 'AAAAC4'),
      SSH.slice(0, -4),
      `${SSH}AAAA`,
      SSH.replace('ssh-', ' ssh-'),
    ];
    for (const line of lines) refusal(() => parseOpenSsh(line));
    const pem = toSpkiPem(ALICE.publicKey);
    refusal(() => parseSpkiPem(pem.replace('MCow', 'MCox')));
    refusal(() => parseSpkiPem(pem.replaceAll('PUBLIC', 'PRIVATE')));
    refusal(() => parseSpkiPem(''));
    const zero = toOpenSsh(Buffer.alloc(32), '');
    expect(refusal(() => parseOpenSsh(zero))).to.include('small-order');
  });

  it('come in the forms that fit their role', () => {
    const log = publicForms('log', ALICE.publicKey, 'example.com/log');
    expect(parseVkey(log.vkey!)).to.deep.equal({ name: 'example.com/log', type: 1, publicKey: ALICE.publicKey });
    expect(log.allowedSigner).to.equal(null);
    const exporting = publicForms('export', BOB.publicKey, 'example.com/log');
    expect(exporting.vkey).to.equal(null);
    expect(exporting.allowedSigner).to.match(/^lukhas-export namespaces="lukhas-evidence" ssh-ed25519 /);
    expect(originOfKey(ALICE.publicKey)).to.equal('lukhas-log/21fe31dfa154a261');
  });
});

describe('a file of trusted keys', () => {
  const vkey = formatVkey({ name: 'example.com/log', type: SIGNATURE_TYPE.note, publicKey: ALICE.publicKey });

  it('may hold keys in every form', () => {
    const text = [
      '# ours',
      '',
      toSpkiPem(ALICE.publicKey).trimEnd(),
      toOpenSsh(BOB.publicKey, 'bob'),
      toAllowedSigner(BOB.publicKey, { principal: 'lukhas-export', namespace: 'lukhas-evidence' }),
      toAllowedSigner(ALICE.publicKey, { principal: 'p', namespace: 'n' }),
      vkey,
    ].join('\r\n');
    const keys = parseTrustedKeys(text, 'trust.txt', 0);
    expect(keys.map((key) => key.publicKey)).to.deep.equal([
      ALICE.publicKey,
      BOB.publicKey,
      BOB.publicKey,
      ALICE.publicKey,
    ]);
    expect(keys.map((key) => key.vkey?.name ?? null)).to.deep.equal([null, null, null, 'example.com/log']);
    expect(keys[1]?.fingerprint).to.equal(fingerprint(BOB.publicKey));
  });

  it('is refused with the line that is wrong', () => {
    expect(refusal(() => parseTrustedKeys(`${vkey}\nnonsense\n`, 'trust.txt', 0), 'USAGE')).to.match(
      /^trust\.txt, line 2: /,
    );
    expect(refusal(() => parseTrustedKeys('# none\n', 'trust.txt', 0), 'USAGE')).to.include('contains no public key');
    expect(refusal(() => parseTrustedKeys('-----BEGIN PUBLIC KEY-----\nAA', 'trust.txt', 0), 'USAGE')).to.include(
      'ends in the middle of a key',
    );
  });

  it('is refused with a private key in it, which is not repeated', () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\n';
    const message = refusal(() => parseTrustedKeys(pem, 'trust.txt', 0), 'USAGE');
    expect(message).to.include('is a private key');
    expect(message).to.not.include('MC4CAQ');
  });
});
