import { LukhasError } from '../../errors.js';
import type { VerifierKey } from '../formats/index.js';
import {
  type Checkpoint,
  cosignatureSigner,
  formatNote,
  type NoteSignature,
  parseCheckpoint,
  parseNote,
  type Signer,
  signatureLine,
  type VerifiedCheckpoint,
  verifyCheckpoint,
} from '../formats/index.js';
import { checkpointVerifiers } from '../keys/index.js';
import { emptyRoot, verifyConsistency } from '../tree/index.js';
import { type AddCheckpoint, parseAddCheckpoint } from './request.js';
import type { WitnessStore } from './store.js';

/** Answers of https://c2sp.org/tlog-witness. */
export type WitnessAnswer =
  /** One line for each cosignature. */
  | { status: 200; cosignature: string }
  /** `size`: of the checkpoint that was cosigned last. */
  | { status: 409; size: number; message: string }
  | { status: 400 | 403 | 404 | 422; message: string };

export interface WitnessOptions {
  /** Name of the witness on its cosignatures; must belong to one key only. */
  name: string;
  key: Signer;
  /** Keys of the watched logs; the name of a key is the origin of its log. */
  logs: readonly VerifierKey[];
  store: Pick<WitnessStore, 'last' | 'append'>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Called with a validly signed checkpoint that does not extend what was cosigned before: it may prove a second history. */
  onRefused?(note: string, message: string): void;
}

const NOTHING: Omit<Checkpoint, 'origin'> = { size: 0, root: emptyRoot() };

/**
 * Cosigns only checkpoints that extend the one it cosigned before: of two checkpoints with its cosignature, one is always the
 * beginning of the other. It sees sizes and hashes only, never an entry.
 */
export class Witness {
  readonly #o: WitnessOptions;

  constructor(options: WitnessOptions) {
    this.#o = options;
  }

  /** @param body of `POST /add-checkpoint`. @throws LukhasError CONFIG when its records cannot be read or written */
  async add(body: Uint8Array): Promise<WitnessAnswer> {
    const read = readRequest(body);
    if ('status' in read) return read;
    const { request, origin } = read;
    const log = checkpointVerifiers(origin, this.#o.logs);
    if (log.length === 0) return { status: 404, message: `unknown log ${JSON.stringify(origin)}` };
    let checkpoint: VerifiedCheckpoint;
    try {
      checkpoint = verifyCheckpoint(request.note, { origin, log });
    } catch (error) {
      return { status: 403, message: messageOf(error) };
    }
    if (request.oldSize > checkpoint.size) {
      return { status: 400, message: 'request: old size is larger than the checkpoint' };
    }
    return this.#cosign(request, checkpoint);
  }

  /** The last cosigned checkpoint of a log; null when there is none. */
  async last(origin: string): Promise<string | null> {
    return (await this.#o.store.last(origin))?.note ?? null;
  }

  /** Repeats only when another process has stored a checkpoint in between, so it ends. */
  async #cosign(request: AddCheckpoint, checkpoint: VerifiedCheckpoint): Promise<WitnessAnswer> {
    for (;;) {
      const last = await this.#o.store.last(checkpoint.origin);
      const known = last === null ? NOTHING : parseCheckpoint(parseNote(last.note).text);
      const refused = refusal(request, checkpoint, known);
      if (refused !== null) {
        // A sender that does not know our size asks again with it.
        const isSizeOnly = refused.status === 409 && request.oldSize !== known.size;
        if (!isSizeOnly) this.#o.onRefused?.(request.note, refused.message);
        return refused;
      }
      const own = this.#sign(checkpoint.text);
      const answer = { status: 200 as const, cosignature: signatureLine(own) };
      // The same checkpoint again only gets a newer time.
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
    return { status: 409, size: first, message: `the last cosigned checkpoint has ${first} entries` };
  }
  if (size === first && !root.equals(firstRoot)) {
    return { status: 409, size: first, message: `a different checkpoint of ${size} entries was already cosigned` };
  }
  const claim = { first, second: size, firstRoot, secondRoot: root, path: proof };
  if (verifyConsistency(claim)) return null;
  return {
    status: 422,
    message: `the proof does not show that the checkpoint extends the ${first} entries already cosigned`,
  };
}

function readRequest(body: Uint8Array): { request: AddCheckpoint; origin: string } | { status: 400; message: string } {
  try {
    const request = parseAddCheckpoint(body);
    return { request, origin: parseCheckpoint(parseNote(request.note).text).origin };
  } catch (error) {
    return { status: 400, message: messageOf(error) };
  }
}

/** The message of a VERIFICATION error; any other error is our own fault and is thrown again. */
function messageOf(error: unknown): string {
  if (error instanceof LukhasError && error.code === 'VERIFICATION') return error.message;
  throw error;
}
