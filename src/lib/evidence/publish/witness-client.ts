import { LukhasError } from '../../errors.js';
import type { KeptCheckpoint } from '../checkpoints/index.js';
import type { VerifierKey } from '../formats/index.js';
import {
  cosignatureVerifier,
  type NoteSignature,
  parseNote,
  parseSignatureLines,
  parseSize,
  refused,
} from '../formats/index.js';
import { formatAddCheckpoint } from '../witness/index.js';
import { firstLine, type Posted, post } from './post.js';

/** A witness as the log knows it. */
export interface WitnessPeer {
  /** Submission prefix: `/add-checkpoint` is put behind it. */
  url: string;
  /** Of type 0x04. */
  key: VerifierKey;
}

interface Asking {
  checkpoint: KeptCheckpoint;
  /** Size that the witness is thought to have cosigned last; when it is another, it says so and is asked again. */
  oldSize: number;
  /** That the checkpoint contains the first so many entries. */
  proof(from: number): Promise<Buffer[]>;
  signal?: AbortSignal | undefined;
}

/** The head that was sent cannot be of the log that the witness knows. */
export class OtherHistory extends LukhasError {
  constructor(message: string) {
    super('VERIFICATION', message);
  }
}

/**
 * Has a witness cosign a checkpoint (https://c2sp.org/tlog-witness).
 * @returns its cosignature, verified
 * @throws LukhasError VERIFICATION when the witness has cosigned more entries (OtherHistory: another history), or its cosignature is wrong;
 *   ANCHOR_FAILED when it cannot be reached or does not do it for another reason
 */
export async function askWitness(peer: WitnessPeer, asking: Asking): Promise<NoteSignature> {
  const { checkpoint } = asking;
  const sent = Math.min(asking.oldSize, checkpoint.size);
  const first = await ask(peer, asking, sent);
  const told = first.status === 409 ? sizeTold(peer, first) : null;
  if (told === null || told === sent) return outcome(peer, checkpoint, first, sent);
  if (told > checkpoint.size) {
    throw refused(
      `${peer.url}: has cosigned ${told} entries of this log, which now has ${checkpoint.size}: entries are gone, or a newer checkpoint was sent a moment ago`,
    );
  }
  return outcome(peer, checkpoint, await ask(peer, asking, told), told);
}

async function ask(peer: WitnessPeer, { checkpoint, proof, signal }: Asking, oldSize: number): Promise<Posted> {
  // Nothing has to be proved about no entries, nor about all of them.
  const path = oldSize === 0 || oldSize === checkpoint.size ? [] : await proof(oldSize);
  const body = formatAddCheckpoint({ oldSize, proof: path, note: checkpoint.note });
  return post(`${peer.url.replace(/\/+$/, '')}/add-checkpoint`, { body, type: 'text/plain; charset=utf-8', signal });
}

function sizeTold({ url }: WitnessPeer, { type, body }: Posted): number {
  if (type !== 'text/x.tlog.size') {
    throw new LukhasError('ANCHOR_FAILED', `${url}: answered 409 without the size that it knows`);
  }
  return parseSize(body.toString('utf8').replace(/\n$/, ''), `${url}: the size that it knows`);
}

function outcome(peer: WitnessPeer, checkpoint: KeptCheckpoint, answer: Posted, oldSize: number): NoteSignature {
  const { status } = answer;
  if (status === 200) return cosignature(peer, checkpoint, answer);
  // It was asked with the size that it knows itself.
  if (status === 409 && oldSize === checkpoint.size) {
    throw new OtherHistory(`${peer.url}: has cosigned another history of this log: other ${oldSize} entries`);
  }
  if (status === 422) {
    throw new OtherHistory(
      `${peer.url}: has cosigned another history of this log: its first ${oldSize} entries were others`,
    );
  }
  throw new LukhasError('ANCHOR_FAILED', `${peer.url}: does not cosign: ${status} ${firstLine(answer)}`.trimEnd(), {
    suggestions:
      status === 403 || status === 404 ? ['Give its operator the key of the log: lukhas keys show --form vkey'] : [],
  });
}

function cosignature({ url, key }: WitnessPeer, { note }: KeptCheckpoint, { body }: Posted): NoteSignature {
  const verifier = cosignatureVerifier(key);
  const { text } = parseNote(note);
  const own = parseSignatureLines(body.toString('utf8')).find(
    ({ name, keyId }) => name === verifier.name && keyId === verifier.keyId,
  );
  if (own === undefined) throw refused(`${url}: its answer has no cosignature by ${key.name} with the key expected`);
  if (!verifier.verify(text, own.signature)) throw refused(`${url}: its cosignature does not verify`);
  return own;
}
