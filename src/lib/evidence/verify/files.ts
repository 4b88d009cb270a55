import { createHash } from 'node:crypto';
import { refused } from '../formats/index.js';

/** The files of a pack, wherever they are kept. */
export interface PackFiles {
  /** As they are named, in their order; a name may stand there twice. */
  readonly names: readonly string[];
  /** The bytes of a file, piece by piece. @throws LukhasError VERIFICATION when they cannot be had */
  read(name: string): AsyncIterable<Buffer>;
}

/** Files that every pack has, in its order; policies stand between the observations and the narrative. */
export const SUMMED = [
  'meta.json',
  'audits.ndjson',
  'audits.json',
  'audits.csv',
  'observations.ndjson',
  'narrative.txt',
  'checkpoint',
  'completeness.json',
  'keys/log.vkey',
  'keys/log.pem',
  'keys/export.pub',
  'keys/export.pem',
  'keys/allowed_signers',
  'VERIFY.md',
] as const;

/** Files that SHA256SUMS does not list: itself, its copy, and what signs it. */
export const UNSUMMED = [
  'SHA256SUMS',
  'hashes.txt',
  'SHA256SUMS.sshsig',
  'SHA256SUMS.sig',
  'statement.dsse.json',
] as const;

/** In packs of a log that a witness has cosigned, after completeness.json. */
export const WITNESS_FILE = 'witness.json';

const POLICY = /^policies\/[0-9a-f]{64}\.json$/;

/** Names that are missing, unknown, or there twice, in words. */
export function nameProblems(names: readonly string[]): string[] {
  const known = new Set<string>([...SUMMED, ...UNSUMMED]);
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const name of names) {
    if (seen.has(name)) problems.push(`${quoted(name)} is in the pack twice`);
    else if (!known.has(name) && name !== WITNESS_FILE && !POLICY.test(name))
      problems.push(`${quoted(name)} is not a file of an evidence pack`);
    seen.add(name);
  }
  for (const name of known) if (!seen.has(name)) problems.push(`${name} is missing`);
  return problems;
}

export function policyDigests(names: readonly string[]): Set<string> {
  const of = (name: string) => name.slice('policies/'.length, -'.json'.length);
  return new Set(names.filter((name) => POLICY.test(name)).map(of));
}

/** Hashes what is read, so that the bytes that were checked are the bytes compared with SHA256SUMS. */
export class HashedFiles implements PackFiles {
  readonly #files: PackFiles;
  readonly #digests = new Map<string, string>();

  constructor(files: PackFiles) {
    this.#files = files;
  }

  get names(): readonly string[] {
    return this.#files.names;
  }

  async *read(name: string): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    for await (const chunk of this.#files.read(name)) {
      hash.update(chunk);
      yield chunk;
    }
    this.#digests.set(name, hash.digest('hex'));
  }

  /**
   * The whole of a file. It is read twice: pieces of unknown number, and then one of all, would take twice its length.
   * @throws LukhasError VERIFICATION when it is longer than `limit` bytes
   */
  async whole(name: string, limit: number): Promise<Buffer> {
    let size = 0;
    for await (const chunk of this.#files.read(name)) {
      size += chunk.length;
      if (size > limit) throw refused(`${name}: is longer than ${limit} bytes`);
    }
    const bytes = Buffer.alloc(size);
    let at = 0;
    for await (const chunk of this.read(name)) {
      chunk.copy(bytes, at);
      at += chunk.length;
    }
    if (at !== size) throw refused(`${name}: changed while it was being read`);
    return bytes;
  }

  /** SHA-256 of a file, hex; reads the file unless it was read to its end before. */
  async digest(name: string): Promise<string> {
    if (!this.#digests.has(name)) for await (const _ of this.read(name));
    return this.#digests.get(name) as string;
  }
}

function quoted(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 97)}...` : name);
}
