import { LukhasError } from '../../errors.js';
import type { VerifierKey } from '../formats/index.js';
import {
  type Checkpoint,
  cosignatureSigner,
  formatNote,
  type NoteSignature,
  noteVerifier,
  parseCheckpoint,
  parseNote,
  type Signer,
  signatureLine,
  type VerifiedCheckpoint,
  verifyCheckpoint,
} from '../formats/index.js';
import { emptyRoot, verifyConsistency } from '../tree/index.js';
import { type AddCheckpoint, parseAddCheckpoint } from './request.js';
import type { WitnessStore } from './store.js';

/** Answers of https://c2sp.org/tlog-witness. */
export type WitnessAnswer =
  /** Lines of cosignatures. */
  | { status: 200; cosignature: string }
  /** `size`: of the head that was cosigned last. */
  | { status: 409; size: number; message: string }
  | { status: 400 | 403 | 404 | 422; message: string };

export interface WitnessOptions {
  /** Name of the witness on its cosignatures; goes with one key only. */
  name: string;
  key: Signer;
  /** Keys of the logs that are watched; the name of a key is the origin of its log. */
  logs: readonly VerifierKey[];
  store: Pick<WitnessStore, 'last' | 'append'>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** A checkpoint with a good signature that is not what was cosigned before, grown: it may be proof of a second history. */
  onRefused?(note: string, message: string): void;
}

const NOTHING: Omit<Checkpoint, 'origin'> = { size: 0, root: emptyRoot() };

/**
 * Cosigns heads of logs that contain the head it has cosigned before, and no others: of two heads with its cosignature, one is
 * the beginning of the other. It sees sizes and hashes only, never an entry.
 */
export class Witness {
  readonly #o: WitnessOptions;

  constructor(options: WitnessOptions) {
    this.#o = options;
  }

  /** @param body of `POST /add-checkpoint`. @throws LukhasError CONFIG when what was cosigned cannot be read or kept */
  async add(body: Uint8Array): Promise<WitnessAnswer> {
    const asked = read(body);
    if ('status' in asked) return asked;
    const { request, origin } = asked;
    const keys = this.#o.logs.filter(({ name }) => name === origin);
    if (keys.length === 0) return { status: 404, message: `the log ${JSON.stringify(origin)} is not watched here` };
    let checkpoint: VerifiedCheckpoint;
    try {
      checkpoint = verifyCheckpoint(request.note, { origin, log: keys.map(noteVerifier) });
    } catch (error) {
      return { status: 403, message: messageOf(error) };
    }
    if (request.oldSize > checkpoint.size) {
      return { status: 400, message: 'request: its old size is above that of the checkpoint' };
    }
    return this.#cosign(request, checkpoint);
  }

  /** The last head of a log with its cosignature; null when there is none. */
  async last(origin: string): Promise<string | null> {
    return (await this.#o.store.last(origin))?.note ?? null;
  }

  /** Each time round, somebody else's head was kept: that ends. */
  async #cosign(request: AddCheckpoint, checkpoint: VerifiedCheckpoint): Promise<WitnessAnswer> {
    for (;;) {
      const last = await this.#o.store.last(checkpoint.origin);
      const known = last === null ? NOTHING : parseCheckpoint(parseNote(last.note).text);
      const no = refusal(request, checkpoint, known);
      if (no !== null) {
        const expected = no.status === 409 && request.oldSize !== known.size;
        if (!expected) this.#o.onRefused?.(request.note, no.message);
        return no;
      }
      const own = this.#sign(checkpoint.text);
      const answer = { status: 200 as const, cosignature: signatureLine(own) };
      // The same head again only gets a newer time.
      if (last !== null && checkpoint.size === known.size) return answer;
      const note = formatNote({ text: checkpoint.text, signatures: [...checkpoint.log, own] });
      const number = (last?.number ?? 0) + 1;
      if (await this.#o.store.append(checkpoint.origin, { number, note })) return answer;
    }
  }

  #sign(text: string): NoteSignature {
    const { name, key, now } = this.#o;
    const signer = cosignatureSigner(name, key, Math.floor(now() / 1000));
    return { name, keyId: signer.keyId, signature: signer.sign(text) };
  }
}

type Refusal = Extract<WitnessAnswer, { status: 409 }> | { status: 422; message: string };

function refusal(
  { oldSize, proof }: AddCheckpoint,
  { size, root }: Checkpoint,
  known: Pick<Checkpoint, 'size' | 'root'>,
): Refusal | null {
  const { size: first, root: firstRoot } = known;
  if (oldSize !== first) {
    return { status: 409, size: first, message: `the last head that was cosigned is of ${first} entries` };
  }
  if (size === first && !root.equals(firstRoot)) {
    return { status: 409, size: first, message: `another head of ${size} entries was cosigned before` };
  }
  const claim = { first, second: size, firstRoot, secondRoot: root, path: proof };
  if (verifyConsistency(claim)) return null;
  return { status: 422, message: `nothing proves that the head contains the ${first} entries cosigned before` };
}

function read(body: Uint8Array): { request: AddCheckpoint; origin: string } | { status: 400; message: string } {
  try {
    const request = parseAddCheckpoint(body);
    return { request, origin: parseCheckpoint(parseNote(request.note).text).origin };
  } catch (error) {
    return { status: 400, message: messageOf(error) };
  }
}

/** Of the errors that say that something does not hold; others are faults of our own. */
function messageOf(error: unknown): string {
  if (error instanceof LukhasError && error.code === 'VERIFICATION') return error.message;
  throw error;
}
