import { verifyInclusion } from '../tree/index.js';
import { decodeBase64 } from './base64.js';
import { type CheckpointTrust, parseSize, type VerifiedCheckpoint, verifyCheckpoint } from './checkpoint.js';
import { refused } from './refused.js';

/** Proof that one entry is in a log (https://c2sp.org/tlog-proof): a file `.tlog-proof` that can be checked on its own. */
export interface TlogProof {
  /** seq of the entry. */
  index: number;
  /** RFC 6962 audit path in the tree of the checkpoint, lowest first; 32 bytes each. */
  path: readonly Buffer[];
  /** The signed checkpoint, verbatim. */
  checkpoint: string;
  /** Anything; not signed, so not to be relied on. */
  extra?: Buffer;
}

const HEADER = 'c2sp.org/tlog-proof@v1';
const HASH_BYTES = 32;
/** A tree of 2^63 entries is 63 levels high. */
const MAX_PATH = 63;

/** @throws LukhasError VERIFICATION when the parts do not make a valid one */
export function formatTlogProof({ index, path, checkpoint, extra }: TlogProof): string {
  const lines = [
    HEADER,
    ...(extra === undefined ? [] : [`extra ${extra.toString('base64')}`]),
    `index ${index}`,
    ...path.map((hash) => hash.toString('base64')),
  ];
  const proof = `${lines.join('\n')}\n\n${checkpoint}`;
  parseTlogProof(proof);
  return proof;
}

/** Checks the form only. @throws LukhasError VERIFICATION: what is wrong with it */
export function parseTlogProof(proof: string): TlogProof {
  const end = proof.indexOf('\n\n');
  if (end < 0) throw refused('proof: has no empty line before its checkpoint');
  const [header, ...lines] = proof.slice(0, end).split('\n');
  if (header !== HEADER) throw refused(`proof: does not begin with ${HEADER}`);
  const extra = lines[0]?.startsWith('extra ') ? parseExtra(lines.shift()!) : undefined;
  const index = lines.shift() ?? '';
  if (!index.startsWith('index ')) throw refused('proof: has no line `index N` after its header');
  if (lines.length > MAX_PATH) throw refused(`proof: has more than ${MAX_PATH} hashes`);
  return {
    index: parseSize(index.slice('index '.length), 'proof: index'),
    path: lines.map(parseHash),
    checkpoint: proof.slice(end + 2),
    ...(extra === undefined ? {} : { extra }),
  };
}

/**
 * Verifies that the entry with this leaf hash is in the log, with a checkpoint signed by a trusted key.
 * @param leaf `leafHash` of the entry's bytes
 * @returns the entry's index, and the checkpoint with its signers
 * @throws LukhasError VERIFICATION: form, checkpoint, or an entry that is not in the log
 */
export function verifyTlogProof(
  proof: string,
  leaf: Uint8Array,
  trust: CheckpointTrust,
): { index: number; checkpoint: VerifiedCheckpoint } {
  const { index, path, checkpoint: note } = parseTlogProof(proof);
  const checkpoint = verifyCheckpoint(note, trust);
  if (!verifyInclusion({ index, size: checkpoint.size, leaf, path, root: checkpoint.root })) {
    throw refused(`proof: the entry is not number ${index} of the ${checkpoint.size} that the checkpoint covers`);
  }
  return { index, checkpoint };
}

function parseExtra(line: string): Buffer {
  const bytes = decodeBase64(line.slice('extra '.length));
  if (bytes === null) throw refused('proof: extra data is not base64');
  return bytes;
}

function parseHash(line: string): Buffer {
  const hash = decodeBase64(line);
  if (hash?.length !== HASH_BYTES) throw refused('proof: a line of the path is not a SHA-256 hash in base64');
  return hash;
}
