import type { Checkpoint } from '../formats/index.js';
import { fingerprint, parseTlogProof, refused } from '../formats/index.js';
import type { TrustedKey } from '../keys/index.js';
import { leafHash, verifyInclusion } from '../tree/index.js';
import { type Entry, readEntry } from './entry.js';
import { EvidenceFindings, type EvidenceReport } from './report.js';
import { checkpointSigner, claimedCheckpoint, verifyLogCheckpoint } from './signatures.js';
import { saysSeen, tellMissing, type Witnessed, witnessedBy } from './witness.js';

export interface ProofReport extends EvidenceReport {
  /** What was proved; null when that could not be read. */
  entry: Entry | null;
  log: { origin: string; size: number; root: string } | null;
  /** By each trusted witness whose cosignature is on the checkpoint. */
  witnesses: Witnessed[];
}

/**
 * Verifies the proof of one entry, as `lukhas prove` writes it: a C2SP tlog-proof that carries the entry's bytes as its
 * extra data. That is not signed, and needs not be: their hash is what is proved.
 */
export function verifyProofFile(text: string, trust: readonly TrustedKey[] | null): ProofReport {
  const found = new EvidenceFindings();
  const read: Pick<ProofReport, 'entry' | 'log' | 'witnesses'> = { entry: null, log: null, witnesses: [] };
  try {
    const { index, path, checkpoint: note, extra } = parseTlogProof(text);
    const checkpoint = claimedCheckpoint(note);
    const { origin, size, root } = checkpoint;
    read.log = { origin, size, root: root.toString('hex') };
    if (extra === undefined) throw refused('proof: does not carry the entry that it proves');
    if (!verifyInclusion({ index, size, leaf: leafHash(extra), path, root })) {
      throw refused(`proof: what it carries is not entry ${index} of the ${size} that the checkpoint covers`);
    }
    const entry = readEntry(extra);
    if (typeof entry === 'string') throw refused(`proof: its entry ${entry}`);
    if (entry.seq !== index) throw refused(`proof: entry ${entry.seq} is said to be number ${index}`);
    read.entry = entry;
    found.holds(`entry ${index} is in the log of ${size} entries that the checkpoint covers, with these bytes`);
    read.witnesses = checkSignatures(note, checkpoint, trust, found);
    found.unchecked(`what came after entry ${index}: a later one may have changed what it decided`);
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
      'who signed the checkpoint, and who cosigned it: give the key of the log that you have from the operator, and those of witnesses: --trust FILE',
    );
    return [];
  }
  const log = { origin, key: null, trust };
  const checkpoint = verifyLogCheckpoint(note, log);
  found.holds(`the checkpoint is signed by the trusted key ${fingerprint(checkpointSigner(checkpoint, log))}`);
  const witnessed = witnessedBy(checkpoint);
  for (const seen of witnessed) found.holds(saysSeen(seen, 'the checkpoint'));
  tellMissing(checkpoint, trust, 'it is not on the checkpoint of the proof', found);
  return witnessed;
}
