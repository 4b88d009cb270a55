import { LukhasError } from '../errors.js';
import type { Checkpoint, VerifiedCheckpoint } from './checkpoint.js';
import { verifyConsistency } from './merkle-verify.js';
import { refused } from './refused.js';
import type { TrustedKey } from './trust.js';
import { EvidenceFindings, type EvidenceReport } from './verify-pack-report.js';
import { claimedCheckpoint, verifyLogCheckpoint } from './verify-pack-signatures.js';
import type { PackTree } from './verify-pack-tree.js';
import type { VerifierKey } from './vkey.js';

/** An earlier state of the log, from a checkpoint that was kept elsewhere and whose signature holds. */
export type Earlier = VerifiedCheckpoint;

/** RFC 9162 consistency proof between two sizes, from a log. */
export type ConsistencyProof = (first: number, second: number) => Promise<readonly Buffer[]>;

/** @throws LukhasError VERIFICATION: form, signature, or another log */
export function claimedEarlier(
  note: Buffer | null,
  log: { origin: string; key: VerifierKey; trust: readonly TrustedKey[] | null },
): Earlier | null {
  if (note === null) return null;
  const { origin } = claimedCheckpoint(note);
  if (origin !== log.origin) {
    throw refused(`--since: is a checkpoint of ${JSON.stringify(origin)}, not of ${JSON.stringify(log.origin)}`);
  }
  try {
    return verifyLogCheckpoint(note, log);
  } catch (error) {
    throw refused(`--since: ${(error as Error).message}`, error);
  }
}

/** Whether the log of the pack goes on from the earlier one: by the pack itself where it can tell, else by a proof. */
export async function checkSince(
  earlier: Earlier,
  { checkpoint, tree, prove }: { checkpoint: VerifiedCheckpoint; tree: PackTree; prove: ConsistencyProof | null },
  findings: EvidenceFindings,
): Promise<void> {
  const { size, root } = earlier;
  const [said, broken] = [goesOn(size), rewritten(size)];
  if (size > checkpoint.size) {
    findings.unchecked(
      `--since: it covers ${size} entries, the pack ends after ${checkpoint.size}: it is the later one`,
    );
  } else if (tree.rootThen !== null) {
    if (tree.rootThen.equals(root)) findings.holds(said);
    else findings.problem(broken);
  } else if (prove === null) {
    findings.unchecked(
      `--since: the checkpoint of ${size} entries lies before the window, and the pack has no proof that reaches back so far; a pack from an earlier time on has, and so has the log itself: --db PATH`,
    );
  } else {
    const path = await prove(size, checkpoint.size);
    const claim = { first: size, second: checkpoint.size, firstRoot: root, secondRoot: checkpoint.root, path };
    if (verifyConsistency(claim)) findings.holds(said);
    else findings.problem(`${broken}, or the database is not of the same log`);
  }
}

/**
 * Whether a log goes on from a checkpoint that was kept elsewhere.
 * @param log recomputed from its entries
 * @param key by which signatures are checked where no keys are trusted
 */
export async function verifyLogSince(
  note: Buffer,
  {
    log,
    key,
    trust,
    prove,
  }: {
    log: Pick<Checkpoint, 'size' | 'root'>;
    key: VerifierKey | null;
    trust: readonly TrustedKey[] | null;
    prove: ConsistencyProof;
  },
): Promise<EvidenceReport> {
  const found = new EvidenceFindings();
  const earlier = await found.section(() => signedEarlier(note, { key, trust }, found));
  if (earlier === null) return found.report();
  const { size, root } = earlier;
  if (size > log.size) {
    found.problem(`--since: ${size} entries were signed, the log has ${log.size}: entries are gone`);
    return found.report();
  }
  try {
    const path = await prove(size, log.size);
    const claim = { first: size, second: log.size, firstRoot: root, secondRoot: log.root, path };
    if (verifyConsistency(claim)) found.holds(goesOn(size));
    else found.problem(rewritten(size));
  } catch (error) {
    // A log whose tree cannot be read proves nothing.
    if (!(error instanceof LukhasError) || error.code !== 'LEDGER_CORRUPT') throw error;
    found.problem(`${rewritten(size)} (${error.message})`);
  }
  return found.report();
}

function signedEarlier(
  note: Buffer,
  { key, trust }: { key: VerifierKey | null; trust: readonly TrustedKey[] | null },
  found: EvidenceFindings,
): Checkpoint | null {
  if (trust === null && key === null) {
    found.unchecked('--since: who signed it: there is no key of this log here; give it with --trust FILE');
    return claimedCheckpoint(note);
  }
  if (key === null) {
    const { origin } = claimedCheckpoint(note);
    const verified = verifyLogCheckpoint(note, { origin, key, trust });
    found.holds('--since: is signed by a trusted key of the log');
    return verified;
  }
  found.unchecked(
    '--since: is consistent with the log key on this machine; to trust that of the operator: --trust FILE',
  );
  return claimedEarlier(note, { origin: key.name, key, trust });
}

function goesOn(size: number): string {
  return `the log goes on from the checkpoint of ${size} entries that was kept elsewhere: nothing before it was changed`;
}

function rewritten(size: number): string {
  return `--since: the log was rewritten: it does not go on from the checkpoint of ${size} entries that was kept elsewhere`;
}
