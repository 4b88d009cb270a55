import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type * as Age from 'age-encryption';
import { LukhasError } from '../errors.js';
import { MOST_SETTINGS, readLimited } from '../files/index.js';

/** Loaded where something is encrypted or decrypted: it brings post-quantum cryptography. */
function age(): Promise<typeof Age> {
  return import('age-encryption');
}

/**
 * Public keys of those who can decrypt: `age1…`. Nothing else encrypts a copy, and nothing leaves it unencrypted.
 * @param where each came from, as the user wrote it: `--recipient`
 * @throws LukhasError USAGE when there is none, or one is not a recipient
 */
export async function checkRecipients(recipients: readonly string[], where: string): Promise<void> {
  if (recipients.length === 0) {
    throw new LukhasError('USAGE', 'No recipient given: a backup is always encrypted', {
      suggestions: [
        'Create a key pair on another machine: age-keygen -o lukhas-backup.key',
        'Pass its public key: --recipient age1..., or set database.backup.recipients in lukhas.yaml.',
      ],
    });
  }
  const { Encrypter } = await age();
  for (const recipient of recipients) {
    try {
      if (!recipient.startsWith('age1')) throw new Error('it does not begin with age1');
      new Encrypter().addRecipient(recipient);
    } catch (cause) {
      const shown = /^AGE-SECRET-KEY/i.test(recipient) ? 'a secret key' : JSON.stringify(recipient.slice(0, 80));
      throw new LukhasError('USAGE', `${where}: ${shown} is not an age recipient (age1...)`, {
        suggestions: ['Print the public key of a key file: age-keygen -y FILE'],
        cause,
      });
    }
  }
}

/** The encrypted form of what is read, piece by piece. */
export async function encrypted(plain: Readable, recipients: readonly string[]): Promise<Readable> {
  const { Encrypter } = await age();
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return fromWeb(await encrypter.encrypt(toWeb(plain)));
}

/**
 * What was encrypted, piece by piece. A copy that was cut off or altered ends with an error: what came before is not to be used.
 * @throws LukhasError USAGE when none of the identities decrypts it; VERIFICATION when it is not an age file, was altered or cut off
 */
export async function* decrypted(
  file: string,
  cipher: Readable,
  identities: readonly string[],
): AsyncGenerator<Buffer> {
  const { Decrypter } = await age();
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  let plain: Readable;
  try {
    plain = fromWeb(await decrypter.decrypt(toWeb(cipher)));
  } catch (cause) {
    if (!/no identity/.test((cause as Error).message))
      throw refused(file, 'is not an encrypted backup, or is cut off', cause);
    throw new LukhasError('USAGE', `${file}: none of the given keys can decrypt it`, {
      suggestions: ['Pass the key file whose public key the backup was encrypted to: --identity FILE'],
      cause,
    });
  }
  try {
    for await (const chunk of plain) yield chunk as Buffer;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).syscall !== undefined) throw cause;
    throw refused(file, 'was altered or is cut off: it cannot be decrypted to its end', cause);
  }
}

/** Secret keys in a file as age-keygen writes it. @throws LukhasError USAGE when it cannot be read, or holds none */
export async function readIdentities(path: string): Promise<string[]> {
  const bytes = await readLimited(path, MOST_SETTINGS).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'file not found' : `cannot be read (${cause.code})`;
    throw new LukhasError('USAGE', `--identity ${path}: ${why}`, { cause });
  });
  const text = bytes?.toString() ?? '';
  if (text.startsWith('age-encryption.org/') || text.startsWith('-----BEGIN AGE')) {
    throw new LukhasError('USAGE', `--identity ${path}: the key file is itself encrypted`, {
      suggestions: [`Decrypt it first: age -d ${path} > key.txt`],
    });
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const identities = lines.filter((line) => line.startsWith('AGE-SECRET-KEY-'));
  const { Decrypter } = await age();
  try {
    for (const identity of identities) new Decrypter().addIdentity(identity);
  } catch (cause) {
    // The message of the cause could repeat the key.
    throw new LukhasError('USAGE', `--identity ${path}: holds a damaged secret key`, {
      cause: new Error((cause as Error).name),
    });
  }
  if (identities.length > 0) return identities;
  throw new LukhasError('USAGE', `--identity ${path}: contains no secret key (AGE-SECRET-KEY-...)`, {
    suggestions: ['Use the file that age-keygen wrote.'],
  });
}

function refused(file: string, what: string, cause: unknown): LukhasError {
  return new LukhasError('VERIFICATION', `${file}: ${what}`, {
    suggestions: ['Nothing was replaced. Use another copy.'],
    cause,
  });
}

function toWeb(stream: Readable): globalThis.ReadableStream<Uint8Array> {
  return Readable.toWeb(stream) as unknown as globalThis.ReadableStream<Uint8Array>;
}

function fromWeb(stream: globalThis.ReadableStream<Uint8Array>): Readable {
  return Readable.fromWeb(stream as unknown as ReadableStream);
}
