import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseOpenSsh, parseSpkiPem } from '../../src/lib/evidence/formats/public-key.js';
import { signSsh, verifySsh } from '../../src/lib/evidence/formats/sshsig.js';
import { createSigningKey, readSigningKey, type SigningKey } from '../../src/lib/evidence/keys/keys.js';
import { publicForms } from '../../src/lib/evidence/keys/public-forms.js';

/** What others make of our signatures and keys: ssh-keygen and openssl, which an auditor has. */
describe('signatures of evidence', () => {
  const message = Buffer.from(`${'ab'.repeat(32)}  audits.ndjson\n`);
  let dir: string;
  let key: SigningKey;

  const file = (name: string, bytes: string | Uint8Array): string => {
    writeFileSync(join(dir, name), bytes, { mode: 0o600 });
    return join(dir, name);
  };

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'lukhas-signatures-'));
    key = (await createSigningKey(join(dir, 'export.pem')))!;
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  describe('with ssh-keygen', () => {
    const verify = (input: Uint8Array, { namespace = 'lukhas-evidence', principal = 'lukhas-export' } = {}) => {
      const args = ['-Y', 'verify', '-f', join(dir, 'allowed_signers'), '-I', principal, '-n', namespace];
      return spawnSync('ssh-keygen', [...args, '-s', join(dir, 'SUMS.sshsig')], { input, encoding: 'utf8' });
    };

    beforeEach(() => {
      file('SUMS.sshsig', signSsh(message, key));
      file('allowed_signers', `${publicForms('export', key.publicKey, 'log').allowedSigner}\n`);
    });

    it('verify', () => {
      const { status, stdout } = verify(message);
      expect(stdout).to.include(
        `Good "lukhas-evidence" signature for lukhas-export with ED25519 key ${key.fingerprint}`,
      );
      expect(status).to.equal(0);
    });

    it('do not verify for another message, purpose or signer', () => {
      expect(verify(Buffer.from('other')).status).to.not.equal(0);
      expect(verify(message, { namespace: 'file' }).status).to.not.equal(0);
      expect(verify(message, { principal: 'somebody' }).status).to.not.equal(0);
    });

    it('are the same bytes that ssh-keygen makes with the same key', () => {
      // Not every version of OpenSSH reads Ed25519 in PKCS#8.
      file('SUMS', message);
      const openssh = file('id', opensshPrivateKey(join(dir, 'export.pem'), key.publicKey));
      execFileSync('ssh-keygen', ['-Y', 'sign', '-f', openssh, '-n', 'lukhas-evidence', join(dir, 'SUMS')], {
        stdio: 'pipe',
      });
      const theirs = readFileSync(join(dir, 'SUMS.sig'), 'utf8');
      expect(theirs).to.equal(signSsh(message, key));
      expect(verifySsh(theirs, message, { trusted: [key.publicKey] })).to.deep.equal(key.publicKey);
    });

    it('made by ssh-keygen with sha256 verify here', () => {
      file('SUMS', message);
      const openssh = file('id', opensshPrivateKey(join(dir, 'export.pem'), key.publicKey));
      const args = ['-Y', 'sign', '-f', openssh, '-n', 'lukhas-evidence', '-O', 'hashalg=sha256', join(dir, 'SUMS')];
      execFileSync('ssh-keygen', args, { stdio: 'pipe' });
      const theirs = readFileSync(join(dir, 'SUMS.sig'), 'utf8');
      expect(verifySsh(theirs, message, { trusted: [key.publicKey] })).to.deep.equal(key.publicKey);
    });

    it('have keys with the same fingerprint, in a line that it reads', () => {
      const { ssh, fingerprint } = publicForms('export', key.publicKey, 'log');
      const shown = execFileSync('ssh-keygen', ['-l', '-f', file('key.pub', `${ssh}\n`)], { encoding: 'utf8' });
      expect(shown).to.equal(`256 ${fingerprint} lukhas-export (ED25519)\n`);
    });

    it('take keys that ssh-keygen made', () => {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'of ssh', '-f', join(dir, 'theirs')]);
      const { publicKey, comment } = parseOpenSsh(readFileSync(join(dir, 'theirs.pub'), 'utf8'));
      expect(comment).to.equal('of ssh');
      file('SUMS', message);
      execFileSync(
        'ssh-keygen',
        ['-Y', 'sign', '-f', join(dir, 'theirs'), '-n', 'lukhas-evidence', join(dir, 'SUMS')],
        {
          stdio: 'pipe',
        },
      );
      expect(verifySsh(readFileSync(join(dir, 'SUMS.sig'), 'utf8'), message, { trusted: [publicKey] })).to.deep.equal(
        publicKey,
      );
    });
  });

  describe('with openssl', () => {
    const verify = (input: string, signature: string) =>
      spawnSync(
        'openssl',
        [
          'pkeyutl',
          '-verify',
          '-rawin',
          '-in',
          input,
          '-sigfile',
          signature,
          '-pubin',
          '-inkey',
          join(dir, 'export.pub'),
        ],
        { encoding: 'utf8' },
      );

    it('verify, and do not for another message', () => {
      file('export.pub', publicForms('export', key.publicKey, 'log').pem);
      const [input, signature] = [file('SUMS', message), file('SUMS.sig', key.sign(message))];
      expect(verify(input, signature).stdout).to.include('Signature Verified Successfully');
      expect(verify(input, signature).status).to.equal(0);
      expect(verify(file('other', 'other'), signature).status).to.not.equal(0);
    });

    it('take keys that openssl made, and openssl takes ours', async () => {
      const theirs = join(dir, 'theirs.pem');
      execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', theirs], { stdio: 'pipe' });
      const shown = execFileSync('openssl', ['pkey', '-in', theirs, '-pubout'], { encoding: 'utf8' });
      expect((await readSigningKey(theirs)).publicKey).to.deep.equal(parseSpkiPem(shown));
      const ours = execFileSync('openssl', ['pkey', '-in', join(dir, 'export.pem'), '-pubout'], { encoding: 'utf8' });
      expect(ours).to.equal(publicForms('export', key.publicKey, 'log').pem);
    });
  });
});

/** openssh-key-v1 without a passphrase (PROTOCOL.key of OpenSSH), of the key in a PKCS#8 file. */
function opensshPrivateKey(pkcs8: string, publicKey: Buffer): string {
  const seed = Buffer.from(readFileSync(pkcs8, 'utf8').split('\n')[1]!, 'base64').subarray(-32);
  const number = (n: number) => Buffer.from([0, 0, 0, n]);
  const text = (bytes: string | Buffer) => {
    const data = Buffer.from(bytes as string);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, data]);
  };
  const type = text('ssh-ed25519');
  const secret = Buffer.concat([
    number(7),
    number(7),
    type,
    text(publicKey),
    text(Buffer.concat([seed, publicKey])),
    text(''),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, i) => i + 1));
  const blob = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    text('none'),
    text('none'),
    text(''),
    number(1),
    text(Buffer.concat([type, text(publicKey)])),
    text(Buffer.concat([secret, padding])),
  ]);
  const lines = blob.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n');
}
