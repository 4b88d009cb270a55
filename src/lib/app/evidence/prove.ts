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
  /** C2SP tlog-proof with the entry's bytes as its extra data. */
  proof: string;
  seq: number;
  kind: string;
  subject: string;
  /** Entries that the checkpoint covers. */
  size: number;
}

/**
 * Proves that one entry is in the log: its bytes, its path in the tree, and a checkpoint. The checkpoint is the first one with the
 * entry that a witness has cosigned, or else one signed now.
 * @param wanted number of an entry, or a canary's id (or the start of it): the newest entry that decided it, or changed that
 *   decision: an approval, a rejection, an override
 * @throws LukhasError USAGE, NOT_FOUND, AMBIGUOUS_ID; CONFIG (no log key); VERIFICATION; LEDGER_*
 */
export async function proveEntry(place: { ledger: Ledger; config: Config }, wanted: string): Promise<EntryProof> {
  const { ledger } = place;
  const { seq, kind, subject } = /^\d+$/.test(wanted) ? await numbered(ledger, wanted) : await ended(ledger, wanted);
  const { size, note } = await checkpointOver(seq, await openCheckpoints(place));
  const path = await ledger.inclusionProof(seq, size);
  const extra = await recordedBytes(ledger, seq);
  const proof = formatTlogProof({ index: seq, path, checkpoint: note, extra });
  // An entry that was changed in the database no longer has the hash that is in the tree.
  const { ok, problems } = verifyProofFile(proof, null);
  if (!ok)
    throw new LukhasError('VERIFICATION', `Entry ${seq} was changed after it was logged: ${problems[0]}`, {
      suggestions: ['Run `lukhas verify` to see what is damaged.'],
    });
  return { proof, seq, kind, subject, size };
}

async function checkpointOver(seq: number, checkpoints: Checkpoints): Promise<KeptCheckpoint> {
  // Made in any case, so that nothing is proved from a log that does not contain what was signed before.
  const made = await checkpoints.make();
  const cosigned = await checkpoints.cosigned(seq + 1);
  return cosigned !== null && cosigned.size > seq ? cosigned : made;
}

async function numbered(ledger: Ledger, wanted: string): Promise<StoredEvent> {
  const size = await ledger.size();
  const seq = Number(wanted);
  const [event] = seq < size ? await ledger.events({ from: seq, to: seq + 1 }) : [];
  if (event !== undefined) return event;
  throw new LukhasError('NOT_FOUND', `Entry ${wanted} not found: the log has ${size} entries, numbered from 0.`, {
    suggestions: ['Is it in another database? Pass --db or set LUKHAS_MCP_DB.'],
  });
}

async function ended(ledger: Ledger, wanted: string): Promise<StoredEvent> {
  const id = await resolveId(ledger, wanted, CANARY);
  const [event] = await ledger.events({ subject: id, kinds: DECISION_KINDS, newest: true, limit: 1 });
  if (event !== undefined) return event;
  throw new LukhasError('USAGE', `Canary ${id} has not ended: no decision to prove yet.`, {
    suggestions: ['To prove any other entry, pass its number.'],
  });
}

async function recordedBytes(ledger: Ledger, seq: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const { bytes } of ledger.pages.lines({ from: seq, to: seq + 1 }, '\n')) chunks.push(bytes);
  return Buffer.concat(chunks).subarray(0, -1);
}
