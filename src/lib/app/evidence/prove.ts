import { CANARY } from '../../canary/index.js';
import { LukhasError } from '../../errors.js';
import type { Checkpoints, KeptCheckpoint } from '../../evidence/checkpoints/index.js';
import { formatTlogProof } from '../../evidence/formats/index.js';
import { verifyProofFile } from '../../evidence/verify/index.js';
import type { Ledger, StoredEvent } from '../../ledger/index.js';
import { resolveId } from '../../ledger/index.js';
import { DECISION_KINDS } from '../../readings/index.js';
import type { Config } from '../config.js';
import { openCheckpoints } from './checkpoints.js';

export interface EntryProof {
  /** C2SP tlog-proof, with the entry's bytes as its extra data. */
  proof: string;
  seq: number;
  kind: string;
  subject: string;
  /** Entries that the checkpoint covers. */
  size: number;
}

/**
 * Proves that one entry is in the log: its bytes, its path in the tree, and a checkpoint: the first one with the entry that a
 * witness has cosigned, else one that is signed now.
 * @param wanted number of an entry, or a canary (or a beginning of its id): the newest entry that decided it, or
 *   changed what was decided: an approval, a refusal, an override
 * @throws LukhasError USAGE, NOT_FOUND, AMBIGUOUS_ID; CONFIG (no log key); VERIFICATION; LEDGER_*
 */
export async function proveEntry(place: { ledger: Ledger; config: Config }, wanted: string): Promise<EntryProof> {
  const { ledger } = place;
  const { seq, kind, subject } = /^\d+$/.test(wanted) ? await numbered(ledger, wanted) : await ended(ledger, wanted);
  const { size, note } = await checkpointOver(seq, await openCheckpoints(place));
  const path = await ledger.inclusionProof(seq, size);
  const extra = await recordedBytes(ledger, seq);
  const proof = formatTlogProof({ index: seq, path, checkpoint: note, extra });
  // An entry that was changed in the database has another hash than the one that is in the tree.
  const { ok, problems } = verifyProofFile(proof, null);
  if (!ok)
    throw new LukhasError('VERIFICATION', `Entry ${seq} is not what was logged: ${problems[0]}`, {
      suggestions: ['See what is damaged: lukhas verify'],
    });
  return { proof, seq, kind, subject, size };
}

async function checkpointOver(seq: number, checkpoints: Checkpoints): Promise<KeptCheckpoint> {
  // Made in any case: nothing is proved of a log that does not contain what was signed before.
  const made = await checkpoints.make();
  const cosigned = await checkpoints.cosigned(seq + 1);
  return cosigned !== null && cosigned.size > seq ? cosigned : made;
}

async function numbered(ledger: Ledger, wanted: string): Promise<StoredEvent> {
  const size = await ledger.size();
  const seq = Number(wanted);
  const [event] = seq < size ? await ledger.events({ from: seq, to: seq + 1 }) : [];
  if (event !== undefined) return event;
  throw new LukhasError('NOT_FOUND', `No entry ${wanted} in this log: it has ${size}, counted from 0.`, {
    suggestions: ['Is it in another database? Pass --db or set LUKHAS_MCP_DB.'],
  });
}

async function ended(ledger: Ledger, wanted: string): Promise<StoredEvent> {
  const id = await resolveId(ledger, wanted, CANARY);
  const [event] = await ledger.events({ subject: id, kinds: DECISION_KINDS, newest: true, limit: 1 });
  if (event !== undefined) return event;
  throw new LukhasError('USAGE', `Canary ${id} has not ended: there is no decision to prove yet.`, {
    suggestions: ['Any entry can be proved by its number.'],
  });
}

async function recordedBytes(ledger: Ledger, seq: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const { bytes } of ledger.pages.lines({ from: seq, to: seq + 1 }, '\n')) chunks.push(bytes);
  return Buffer.concat(chunks).subarray(0, -1);
}
