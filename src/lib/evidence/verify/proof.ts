import type { Checkpoint } from '../formats/index.js';
import { fingerprint, parseTlogProof, refused } from '../formats/index.js';
import type { TrustedKey } from '../keys/index.js';
import { leafHash, verifyInclusion } from '../tree/index.js';
import { type Entry, readEntry } from './entry.js';
import { EvidenceFindings, type EvidenceReport } from './report.js';
import { checkpointSigners, claimedCheckpoint, verifyLogCheckpoint } from './signatures.js';
import { reportUnread } from './unread.js';
import { cosignedText, reportMissing, type Witnessed, witnessedBy } from './witness.js';

export interface ProofReport extends EvidenceReport {
  /** The proved entry; null when it could not be read. */
  entry: Entry | null;
  log: { origin: string; size: number; root: string } | null;
  /** By each trusted witness whose cosignature is on the checkpoint. */
  witnesses: Witnessed[];
}

/**
 * Verifies the proof of one entry, as `lukhas prove` writes it: a C2SP tlog-proof with the entry's bytes as its extra data.
 * The extra data is not signed and need not be: what is proved is its hash.
 */
export function verifyProofFile(text: string, trust: readonly TrustedKey[] | null): ProofReport {
  const found = new EvidenceFindings();
  const read: Pick<ProofReport, 'entry' | 'log' | 'witnesses'> = { entry: null, log: null, witnesses: [] };
  try {
    const { index, path, checkpoint: note, extra } = parseTlogProof(text);
    const checkpoint = claimedCheckpoint(note);
    const { origin, size, root } = checkpoint;
    read.log = { origin, size, root: root.toString('hex') };
    if (extra === undefined) throw refused('proof: does not contain the entry that it proves');
    if (!verifyInclusion({ index, size, leaf: leafHash(extra), path, root })) {
      throw refused(`proof: its entry is not entry ${index} of the ${size} entries that the checkpoint covers`);
    }
    const entry = readEntry(extra);
    if (typeof entry === 'string') throw refused(`proof: its entry ${entry}`);
    if (entry.seq !== index) throw refused(`proof: contains entry ${entry.seq}, but is for entry ${index}`);
    read.entry = entry;
    // Last: in a log that somebody else made up, an entry that is there shows nothing.
    read.witnesses = checkSignatures(note, checkpoint, trust, found);
    found.holds(`entry ${index} is in the log (${size} entries), unchanged`);
    found.unchecked(`entries after ${index}: a later one may have changed what this one decided`);
  } catch (error) {
    found.refusal(error);
  }
  return { ...found.report(), ...read };
}

function checkSignatures(
  note: string,
  { origin }: Checkpoint,
  trust: readonly TrustedKey[] | null,
  found: EvidenceFindings,
): Witnessed[] {
  if (trust === null) {
    found.unchecked(
      'who signed and cosigned the checkpoint: get the key of the log from its operator, and those of witnesses from them, and pass --trust FILE',
    );
    return [];
  }
  const log = { origin, key: null, trust };
  const checkpoint = verifyLogCheckpoint(note, log);
  const signers = checkpointSigners(checkpoint, log).map(fingerprint);
  found.holds(`checkpoint: signed by trusted key ${signers.join(' and ')}`);
  reportUnread(checkpoint, 'checkpoint', found);
  const witnessed = witnessedBy(checkpoint);
  for (const seen of witnessed) found.holds(cosignedText(seen, 'checkpoint'));
  reportMissing(checkpoint, trust, 'none on the checkpoint of this proof', found);
  return witnessed;
}
