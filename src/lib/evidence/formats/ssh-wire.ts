import { PUBLIC_KEY_BYTES } from './ed25519.js';
import { refused } from './refused.js';

const KEY_TYPE = 'ssh-ed25519';

/** A string of the SSH wire format: length in four bytes, big-endian, then the bytes (RFC 4251, section 5). */
export function sshString(bytes: string | Uint8Array): Buffer {
  const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return Buffer.concat([length, data]);
}

/** An Ed25519 public key (RFC 8709, section 4) or signature (section 6): its type, then its bytes. */
export function sshBlob(bytes: Uint8Array): Buffer {
  return Buffer.concat([sshString(KEY_TYPE), sshString(bytes)]);
}

/** Reads one value after another; refuses truncated input. */
export class SshReader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #at = 0;

  /** @param what names the bytes in errors */
  constructor(bytes: Buffer, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw refused(`${this.#what}: is cut off`);
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  uint32(): number {
    return this.take(4).readUInt32BE();
  }

  string(): Buffer {
    return this.take(this.uint32());
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw refused(`${this.#what}: has extra bytes at the end`);
  }
}

/** The bytes of an Ed25519 key or signature. @throws LukhasError VERIFICATION when it is of another type or length */
export function readSshBlob(blob: Buffer, what: string, length = PUBLIC_KEY_BYTES): Buffer {
  const reader = new SshReader(blob, what);
  const type = reader.string().toString('latin1');
  if (type !== KEY_TYPE) throw refused(`${what}: is of type ${JSON.stringify(type.slice(0, 40))}, not ${KEY_TYPE}`);
  const bytes = reader.string();
  reader.end();
  if (bytes.length !== length) throw refused(`${what}: has ${bytes.length} bytes, not ${length}`);
  return bytes;
}
