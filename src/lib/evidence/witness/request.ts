import { decodeBase64, parseSize, refused } from '../formats/index.js';

/** Body of `POST /add-checkpoint` (https://c2sp.org/tlog-witness). */
export interface AddCheckpoint {
  /** Size that the sender thinks the witness cosigned last. */
  oldSize: number;
  /** RFC 6962 consistency proof from there. */
  proof: Buffer[];
  /** The signed checkpoint. */
  note: string;
}

const HASH_BYTES = 32;
/** A tree of 2^63 entries needs no more. */
const MAX_PROOF = 63;

export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  return `${[`old ${oldSize}`, ...proof.map((hash) => hash.toString('base64'))].join('\n')}\n\n${note}`;
}

/** Checks the form of the request, not the note in it. @throws LukhasError VERIFICATION */
export function parseAddCheckpoint(body: Uint8Array): AddCheckpoint {
  const text = Buffer.from(body).toString('utf8');
  if (!Buffer.from(text).equals(Buffer.from(body))) throw refused('request: is not valid UTF-8');
  const end = text.indexOf('\n\n');
  if (end < 0) throw refused('request: has no empty line before the checkpoint');
  const [first = '', ...lines] = text.slice(0, end).split('\n');
  if (!first.startsWith('old ')) throw refused('request: first line is not "old SIZE"');
  if (lines.length > MAX_PROOF) throw refused(`request: has more than ${MAX_PROOF} lines of proof`);
  const oldSize = parseSize(first.slice('old '.length), 'request: old size');
  return { oldSize, proof: lines.map(hashOf), note: text.slice(end + 2) };
}

function hashOf(line: string): Buffer {
  const hash = decodeBase64(line);
  if (hash?.length !== HASH_BYTES) throw refused('request: a line of the proof is not a SHA-256 hash in base64');
  return hash;
}
