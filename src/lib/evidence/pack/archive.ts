import { createHash } from 'node:crypto';
import { Readable, type Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ZipArchive } from 'archiver';

/** A file of a pack, and the digest of its bytes. */
export interface PackedFile {
  name: string;
  /** Hex, lower case. */
  sha256: string;
  size: number;
}

/** The same for every file of every pack: the earliest date a zip can hold, and no local time. */
const FILE_ATTRIBUTES = { date: new Date('1980-01-01T00:00:00Z'), mode: 0o644 };
const LEVEL = 6;
/** Bytes of compressed output passed on at a time. */
const CHUNK = 64 * 1024;

/**
 * A zip that is written while its files are made, one after the other. On any error `out` is destroyed: the zip then has no
 * directory at its end, and no program accepts it as complete.
 */
export class PackArchive {
  readonly files: PackedFile[] = [];
  readonly #zip: ZipArchive;
  readonly #out: Writable;
  /** Never resolves before `out` has everything; rejects when it, the zip or `signal` ends before. */
  readonly #written: Promise<void>;

  constructor(out: Writable, signal?: AbortSignal) {
    this.#zip = new ZipArchive({ highWaterMark: CHUNK, zlib: { level: LEVEL, chunkSize: CHUNK } });
    this.#out = out;
    const broken = new Promise<never>((_, reject) => this.#zip.once('error', reject));
    this.#written = Promise.race([finished(out, { signal, readable: false }), broken]);
    // Handled where it is awaited; until then it must not count as an unhandled rejection.
    this.#written.catch(() => undefined);
    this.#zip.pipe(out);
  }

  /** Resolves when the file's last byte is in the zip. */
  async add(name: string, content: string | Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const digest = createHash('sha256');
    let size = 0;
    const whole = typeof content === 'string' || content instanceof Uint8Array;
    const source = Readable.from(measured(whole ? only(Buffer.from(content)) : content), { objectMode: false });
    async function* measured(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        digest.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    }
    await this.#whileWhole(
      source,
      new Promise<void>((resolve, reject) => {
        source.once('error', reject);
        this.#zip.once('entry', () => resolve());
        this.#zip.append(source, { name, ...FILE_ATTRIBUTES });
      }),
    );
    this.files.push({ name, sha256: digest.digest('hex'), size });
  }

  /** Writes the directory and ends `out`. */
  async finish(): Promise<void> {
    void this.#zip.finalize();
    await this.#written;
  }

  /** After an error. */
  destroy(error: Error): void {
    this.#zip.unpipe(this.#out);
    this.#zip.destroy();
    this.#out.destroy(error);
  }

  async #whileWhole(source: Readable, added: Promise<void>): Promise<void> {
    try {
      await Promise.race([added, this.#written]);
    } catch (error) {
      added.catch(() => undefined);
      source.destroy();
      throw error;
    }
  }
}

async function* only(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
