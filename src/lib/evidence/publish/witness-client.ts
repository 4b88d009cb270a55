import { LukhasError } from '../../errors.js';
import type { KeptCheckpoint } from '../checkpoints/index.js';
import type { VerifierKey } from '../formats/index.js';
import {
  isSignedBy,
  type NoteSignature,
  parseNote,
  parseSignatureLines,
  parseSize,
  refused,
} from '../formats/index.js';
import { cosignatureVerifiers } from '../keys/index.js';
import { formatAddCheckpoint } from '../witness/index.js';
import { firstLine, type Posted, post } from './post.js';

/** A witness, as configured. */
export interface WitnessPeer {
  /** Submission prefix: `/add-checkpoint` is appended to it. */
  url: string;
  /** Of type 0x04. */
  key: VerifierKey;
}

interface Asking {
  checkpoint: KeptCheckpoint;
  /** Size that the witness probably cosigned last; when it is wrong, the witness says its size and is asked again. */
  oldSize: number;
  /** Proof that the checkpoint contains the first `from` entries. */
  proof(from: number): Promise<Buffer[]>;
  signal?: AbortSignal | undefined;
}

/** The witness has cosigned a different history: the checkpoint that was sent does not extend it. */
export class OtherHistory extends LukhasError {
  constructor(message: string) {
    super('VERIFICATION', message);
  }
}

/**
 * Has a witness cosign a checkpoint (https://c2sp.org/tlog-witness).
 * @returns its cosignature, verified
 * @throws LukhasError VERIFICATION when the witness has cosigned more entries (OtherHistory: a different history), or its cosignature is
 *   invalid; ANCHOR_FAILED when it cannot be reached or refuses for another reason
 */
export async function askWitness(peer: WitnessPeer, asking: Asking): Promise<NoteSignature> {
  const { checkpoint } = asking;
  const sent = Math.min(asking.oldSize, checkpoint.size);
  const first = await ask(peer, asking, sent);
  const itsSize = first.status === 409 ? sizeIn(peer, first) : null;
  if (itsSize === null || itsSize === sent) return outcome(peer, checkpoint, first, sent);
  if (itsSize > checkpoint.size) {
    throw refused(
      `${peer.url}: has already cosigned ${itsSize} entries of this log, which now has ${checkpoint.size}: entries are missing, or a newer checkpoint was just sent`,
    );
  }
  return outcome(peer, checkpoint, await ask(peer, asking, itsSize), itsSize);
}

async function ask(peer: WitnessPeer, { checkpoint, proof, signal }: Asking, oldSize: number): Promise<Posted> {
  // From an empty log, or from the same size, there is nothing to prove.
  const path = oldSize === 0 || oldSize === checkpoint.size ? [] : await proof(oldSize);
  const body = formatAddCheckpoint({ oldSize, proof: path, note: checkpoint.note });
  return post(`${peer.url.replace(/\/+$/, '')}/add-checkpoint`, { body, type: 'text/plain; charset=utf-8', signal });
}

function sizeIn({ url }: WitnessPeer, { type, body }: Posted): number {
  if (type !== 'text/x.tlog.size') {
    throw new LukhasError('ANCHOR_FAILED', `${url}: answered 409 without its size`);
  }
  return parseSize(body.toString('utf8').replace(/\n$/, ''), `${url}: its size`);
}

function outcome(peer: WitnessPeer, checkpoint: KeptCheckpoint, answer: Posted, oldSize: number): NoteSignature {
  const { status } = answer;
  if (status === 200) return cosignature(peer, checkpoint, answer);
  // It has the same size, so its entries must be different.
  if ((status === 409 && oldSize === checkpoint.size) || status === 422) {
    throw new OtherHistory(
      `${peer.url}: has cosigned a different history of this log: its first ${oldSize} entries are different`,
    );
  }
  throw new LukhasError('ANCHOR_FAILED', `${peer.url}: refused to cosign: ${status} ${firstLine(answer)}`.trimEnd(), {
    suggestions:
      status === 403 || status === 404
        ? ["Give the witness's operator the key of the log: lukhas keys show --form vkey"]
        : [],
  });
}

function cosignature({ url, key }: WitnessPeer, { note }: KeptCheckpoint, { body }: Posted): NoteSignature {
  const verifiers = cosignatureVerifiers([key]);
  const { text } = parseNote(note);
  const named = parseSignatureLines(body.toString('utf8')).filter((each) =>
    verifiers.some(({ name, keyId }) => name === each.name && keyId === each.keyId),
  );
  if (named.length === 0) throw refused(`${url}: the answer has no cosignature by ${key.name} with the expected key`);
  const own = named.find((each) => verifiers.some((verifier) => isSignedBy(text, each, verifier)));
  if (own === undefined) throw refused(`${url}: the cosignature does not verify`);
  return own;
}
