import { expect } from 'chai';
import { fingerprint } from '../../../../src/lib/evidence/formats/public-key.js';
import {
  EVIDENCE_NAMESPACE,
  parseSshSignature,
  signSsh,
  verifySsh,
} from '../../../../src/lib/evidence/formats/sshsig.js';
import { cases } from '../../../cases.js';
import { refusal } from '../refusal.js';
import { ALICE, BOB, mutate, numbers } from '../signers.js';

/** The example of PROTOCOL.sshsig; older than the protocol, in which signatures name their hash. */
const EXAMPLE = `-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgJKxoLBJBivUPNTUJUSslQTt2hD
jozKvHarKeN8uYFqgAAAADZm9vAAAAAAAAAFMAAAALc3NoLWVkMjU1MTkAAABAKNC4IEbt
Tq0Fb56xhtuE1/lK9H9RZJfON4o6hE9R4ZGFX98gy0+fFJ/1d2/RxnZky0Y7GojwrZkrHT
FgCqVWAQ==
-----END SSH SIGNATURE-----
`;

const message = Buffer.from('abc  SHA256SUMS\n');
const trusted = [ALICE.publicKey];

describe('SSH signatures', () => {
  it('are verified with the key, for the purpose, over the message', () => {
    const armored = signSsh(message, ALICE);
    expect(verifySsh(armored, message, { trusted: [BOB.publicKey, ALICE.publicKey] })).to.deep.equal(ALICE.publicKey);
    expect(parseSshSignature(armored)).to.include({ namespace: EVIDENCE_NAMESPACE, hash: 'sha512' });
  });

  it('are refused for another message, key or purpose', () => {
    const armored = signSsh(message, ALICE);
    expect(refusal(() => verifySsh(armored, Buffer.from('other'), { trusted }))).to.equal(
      'SSH signature: does not verify',
    );
    const other = refusal(() => verifySsh(armored, message, { trusted: [BOB.publicKey] }));
    expect(other).to.include(fingerprint(ALICE.publicKey));
    const file = signSsh(message, ALICE, 'file');
    expect(refusal(() => verifySsh(file, message, { trusted }))).to.include(
      'namespace is "file", expected "lukhas-evidence"',
    );
    expect(verifySsh(file, message, { trusted, namespace: 'file' })).to.deep.equal(ALICE.publicKey);
    refusal(() => signSsh(message, ALICE, ''));
  });

  it('name a key that is not trusted for that', () => {
    // A signature always carries its key; with nothing trusted, none is good.
    refusal(() => verifySsh(signSsh(message, ALICE), message, { trusted: [] }));
  });

  it('are refused without a hash, as the example of the protocol has none', () => {
    expect(refusal(() => parseSshSignature(EXAMPLE))).to.include('cut off');
  });

  const armored = signSsh(message, ALICE);
  const body = armored.split('\n').slice(1, -2).join('');
  const blob = Buffer.from(body, 'base64');
  const wrap = (bytes: Buffer) =>
    `-----BEGIN SSH SIGNATURE-----\n${bytes
      .toString('base64')
      .match(/.{1,70}/g)
      ?.join('\n')}\n-----END SSH SIGNATURE-----\n`;
  const changedAt = (text: string, replacement: string) =>
    wrap(Buffer.from(blob.toString('latin1').replace(text, replacement), 'latin1'));
  const malformed: [string, string][] = [
    ['nothing', ''],
    ['other line breaks', armored.replace(/\n/g, '\r\n')],
    ['text before it', `x\n${armored}`],
    ['text after it', `${armored}x`],
    ['no newline at its end', armored.slice(0, -1)],
    ['longer lines', `-----BEGIN SSH SIGNATURE-----\n${body}\n-----END SSH SIGNATURE-----\n`],
    ['another magic', changedAt('SSHSIG', 'SSHSIX')],
    ['another version', changedAt('SSHSIG\0\0\0\u0001', 'SSHSIG\0\0\0\u0002')],
    ['another hash', changedAt('sha512', 'sha384')],
    ['another type of key', changedAt('ssh-ed25519', 'ssh-ed25518')],
    ['bytes after its end', wrap(Buffer.concat([blob, Buffer.from([0])]))],
    ['its end missing', wrap(blob.subarray(0, -1))],
    [
      'a length beyond its end',
      wrap(Buffer.concat([blob.subarray(0, 10), Buffer.from('ffffffff', 'hex'), blob.subarray(14)])),
    ],
  ];
  for (const [what, text] of malformed) {
    it(`are refused with ${what}`, () => void refusal(() => verifySsh(text, message, { trusted })));
  }

  it('are refused after any small change of signature or message', () => {
    const random = numbers(8);
    const bytes = Buffer.from(armored);
    for (let i = 0; i < cases(2000); i++) {
      const changed = mutate(bytes, random);
      if (!changed.equals(bytes)) refusal(() => verifySsh(changed.toString('latin1'), message, { trusted }));
      const other = mutate(message, random);
      if (!other.equals(message)) refusal(() => verifySsh(armored, other, { trusted }));
    }
  });
});
