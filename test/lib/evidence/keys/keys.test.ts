import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { LukhasError } from '../../../../src/lib/errors.js';
import { verifyEd25519 } from '../../../../src/lib/evidence/formats/ed25519.js';
import {
  createSigningKey,
  generateSigningKey,
  readSigningKey,
  SigningKey,
} from '../../../../src/lib/evidence/keys/keys.js';
import { ALICE } from '../signers.js';

const mode = async (path: string) => (await stat(path)).mode & 0o777;

async function refusal(promise: Promise<unknown>): Promise<LukhasError> {
  try {
    await promise;
  } catch (error) {
    expect(error).to.be.instanceOf(LukhasError);
    expect((error as LukhasError).code).to.equal('CONFIG');
    return error as LukhasError;
  }
  throw new Error('was accepted');
}

describe('key files', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lukhas-keys-'));
    path = join(folder, 'keys', 'log.pem');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const put = async (text: string | Buffer, rights = 0o600) => {
    await writeFile(join(folder, 'key.pem'), text, { mode: rights });
    await chmod(join(folder, 'key.pem'), rights);
    return join(folder, 'key.pem');
  };
  const pem = (key = generateKeyPairSync('ed25519').privateKey) => key.export({ format: 'pem', type: 'pkcs8' });

  it('are made for their owner alone, and read back as the same key', async () => {
    const before = process.umask(0);
    try {
      const made = await createSigningKey(path);
      expect(await mode(path)).to.equal(0o600);
      expect(await mode(join(folder, 'keys'))).to.equal(0o700);
      const read = await readSigningKey(path);
      expect(read.publicKey).to.deep.equal(made?.publicKey);
      expect(await readFile(path, 'utf8')).to.match(/^-----BEGIN PRIVATE KEY-----\n\S+\n-----END PRIVATE KEY-----\n$/);
    } finally {
      process.umask(before);
    }
  });

  it('are never written over', async () => {
    await createSigningKey(path);
    const bytes = await readFile(path);
    expect(await createSigningKey(path)).to.equal(null);
    expect(await readFile(path)).to.deep.equal(bytes);
    const link = join(folder, 'keys', 'link.pem');
    await symlink(join(folder, 'elsewhere.pem'), link);
    expect(await createSigningKey(link)).to.equal(null);
  });

  it('of two who make one at once, one makes it', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => createSigningKey(path)));
    const [key, ...more] = made.filter((one) => one !== null);
    expect(more).to.deep.equal([]);
    expect((await readSigningKey(path)).publicKey).to.deep.equal(key?.publicKey);
  });

  it('are not made where others may write', async () => {
    await mkdir(join(folder, 'keys'));
    await chmod(join(folder, 'keys'), 0o777);
    const { message, suggestions } = await refusal(createSigningKey(path));
    expect(message).to.include('other users can write');
    expect(suggestions.join()).to.include('chmod 700');
  });

  it('say where they cannot be made', async () => {
    await writeFile(join(folder, 'keys'), '');
    expect((await refusal(createSigningKey(path))).message).to.include(path);
  });

  for (const rights of [0o640, 0o604, 0o620, 0o610, 0o644, 0o666, 0o777]) {
    it(`are refused with the mode ${rights.toString(8)}`, async () => {
      const file = await put(pem(), rights);
      const { message, suggestions } = await refusal(readSigningKey(file));
      expect(message).to.include(`mode is 0${rights.toString(8)}`);
      expect(suggestions.join()).to.include(`chmod 600 ${file}`);
    });
  }

  it('are read with fewer rights, and through a link, as secret stores mount them', async () => {
    await put(pem(), 0o400);
    await symlink(join(folder, 'key.pem'), join(folder, 'link.pem'));
    expect((await readSigningKey(join(folder, 'link.pem'))).publicKey).to.have.length(32);
  });

  const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const refused: [string, () => string | Buffer, string][] = [
    ['nothing', () => '', 'is not a private key'],
    ['something else', () => 'hello\n', 'is not a private key'],
    [
      'a public key',
      () => generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }),
      'not a private',
    ],
    ['an RSA key', () => pem(rsa()), 'type rsa, not ed25519'],
    ['an Ed448 key', () => pem(generateKeyPairSync('ed448').privateKey), 'type ed448, not ed25519'],
    ['an X25519 key', () => pem(generateKeyPairSync('x25519').privateKey), 'type x25519, not ed25519'],
    [
      'an OpenSSH key',
      () => '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
      'OpenSSH',
    ],
    [
      'a passphrase',
      () => ALICE_KEY.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' }),
      'has a passphrase',
    ],
    ['garbled PEM', () => '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'cannot be read'],
    ['too much', () => `${pem()}${'#'.repeat(20_000)}`, 'too long'],
  ];
  for (const [what, text, why] of refused) {
    it(`are refused with ${what} in them`, async () => {
      const file = await put(text());
      const { message } = await refusal(readSigningKey(file));
      expect(message).to.include(why);
      expect(message).to.include(file);
    });
  }

  it('say what to do when there is none', async () => {
    const { message, suggestions } = await refusal(readSigningKey(path));
    expect(message).to.equal(`${path}: key not found`);
    expect(suggestions.join()).to.include('lukhas keys init');
    expect((await refusal(readSigningKey(folder))).message).to.equal(`${folder}: is not a file`);
  });

  it('do not give the key away in an error', async () => {
    const whole = pem().toString();
    const secret = whole.split('\n')[1]!;
    const file = await put(whole.replace('\n-----END', 'A\n-----END'));
    const error = await refusal(readSigningKey(file));
    expect(inspect(error, { depth: null })).to.not.include(secret.slice(0, 20));
  });
});

const ALICE_KEY = createPrivateKey({
  key: Buffer.from(
    '302e020100300506032b657004220420' + '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'hex',
  ),
  format: 'der',
  type: 'pkcs8',
});

describe('a signing key', () => {
  it('signs as RFC 8032 says', () => {
    // Section 7.1, TEST 1.
    expect(ALICE.publicKey.toString('hex')).to.equal(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    );
    expect(ALICE.sign(Buffer.alloc(0)).toString('hex')).to.equal(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    );
  });

  it('shows nothing of itself', () => {
    const key = new SigningKey(ALICE_KEY);
    const shown = `${inspect(key, { depth: null, showHidden: true })} ${JSON.stringify({ key })} ${key}`;
    expect(shown).to.not.include('9d61b19d');
    expect(shown).to.not.include(Buffer.from('9d61b19deffd5a60ba844af4', 'hex').toString('base64'));
    expect(JSON.stringify({ key })).to.equal(`{"key":"${key.fingerprint}"}`);
  });

  it('is another one every time', () => {
    expect(generateSigningKey().publicKey).to.not.deep.equal(generateSigningKey().publicKey);
  });
});

describe('verification by Ed25519', () => {
  const message = Buffer.from('message');
  const signature = ALICE.sign(message);

  it('takes the signature for the message and nothing else', () => {
    expect(verifyEd25519(ALICE.publicKey, message, signature)).to.equal(true);
    expect(verifyEd25519(ALICE.publicKey, Buffer.from('messagf'), signature)).to.equal(false);
    expect(verifyEd25519(generateSigningKey().publicKey, message, signature)).to.equal(false);
  });

  it('is false for what is not a key or a signature', () => {
    for (const key of [Buffer.alloc(0), Buffer.alloc(31), Buffer.alloc(33), Buffer.alloc(32, 0xee)]) {
      expect(verifyEd25519(key, message, signature)).to.equal(false);
    }
    for (const wrong of [
      Buffer.alloc(0),
      Buffer.alloc(64),
      signature.subarray(1),
      Buffer.concat([signature, message]),
    ]) {
      expect(verifyEd25519(ALICE.publicKey, message, wrong)).to.equal(false);
    }
  });

  it('refuses the second form of a signature', () => {
    // S + L, L the order of the base point: the same equation, other bytes.
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order;
    const high = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
    expect(verifyEd25519(ALICE.publicKey, message, Buffer.concat([signature.subarray(0, 32), high]))).to.equal(false);
  });

  it('refuses keys of small order, for which anybody can sign', () => {
    // R = A = the neutral element, S = 0: right for every message.
    const neutral = Buffer.from(`01${'00'.repeat(31)}`, 'hex');
    const forged = Buffer.concat([neutral, Buffer.alloc(32)]);
    expect(verifyEd25519(neutral, message, forged)).to.equal(false);
    const negative = Buffer.from(neutral);
    negative[31]! |= 0x80;
    expect(verifyEd25519(negative, message, forged)).to.equal(false);
  });
});
