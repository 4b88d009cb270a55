import type { Checkpoint, VerifiedCheckpoint, VerifierKey } from '../formats/index.js';
import { refused } from '../formats/index.js';
import type { TrustedKey } from '../keys/index.js';
import { verifyConsistency } from '../tree/index.js';
import { EvidenceFindings, type EvidenceReport } from './report.js';
import { claimedCheckpoint, verifyLogCheckpoint } from './signatures.js';
import type { PackTree } from './tree.js';
import { saysSeen, witnessedBy } from './witness.js';

/** An earlier state of the log, from a checkpoint that was kept elsewhere and whose signature holds. */
export type Earlier = VerifiedCheckpoint;

/** RFC 9162 consistency proof between two sizes, from a log; null when it is shorter than the second. */
export type ConsistencyProof = (first: number, second: number) => Promise<readonly Buffer[] | null>;

/** @throws LukhasError VERIFICATION: form, signature, or another log */
export function claimedEarlier(
  note: Buffer,
  log: { origin: string; key: VerifierKey; trust: readonly TrustedKey[] | null },
): Earlier {
  refuseOther(claimedCheckpoint(note), log.origin);
  return verifiedEarlier(note, log);
}

function refuseOther({ origin }: Checkpoint, expected: string): void {
  if (origin === expected) return;
  throw refused(`--since: is a checkpoint of ${JSON.stringify(origin)}, not of ${JSON.stringify(expected)}`);
}

function verifiedEarlier(note: Buffer, log: Parameters<typeof verifyLogCheckpoint>[1]): Earlier {
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
  if (size <= checkpoint.size && tree.rootThen !== null) {
    if (tree.rootThen.equals(root)) findings.holds(goesOn(size));
    else findings.problem(rewritten(size));
    return;
  }
  const remedy =
    size > checkpoint.size
      ? 'export again up to now, or let the log itself prove it: --db PATH'
      : 'export again from an earlier time on, or let the log itself prove it: --db PATH';
  await compare({ what: 'the pack', earlier, checkpoint, prove, remedy }, findings);
}

/**
 * Whether two checkpoints are of one history, whichever is the later one.
 * @param what has `checkpoint` in it, in words
 */
async function compare(
  {
    what,
    earlier,
    checkpoint,
    prove,
    remedy,
  }: {
    what: string;
    earlier: Pick<Checkpoint, 'size' | 'root'>;
    checkpoint: Pick<Checkpoint, 'size' | 'root'>;
    prove: ConsistencyProof | null;
    remedy: string;
  },
  findings: EvidenceFindings,
): Promise<void> {
  const { size } = earlier;
  const later = size > checkpoint.size;
  const [first, second] = later ? [checkpoint, earlier] : [earlier, checkpoint];
  const path = first.size === second.size ? [] : await (prove?.(first.size, second.size) ?? null);
  if (path === null) {
    const where = later ? `ends after ${checkpoint.size}` : 'has no proof that reaches back so far';
    const todo =
      prove === null ? remedy : `the database at --db has fewer entries than ${second.size}; give that of the log`;
    findings.notShown(`--since: the checkpoint covers ${size} entries, ${what} ${where}: ${todo}`);
    return;
  }
  const claim = { first: first.size, second: second.size, firstRoot: first.root, secondRoot: second.root, path };
  if (!verifyConsistency(claim))
    findings.problem(prove === null ? rewritten(size) : `${rewritten(size)}, or --db is not of the same log`);
  else findings.holds(later ? leadsTo(checkpoint.size, size) : goesOn(size));
}

/**
 * Whether the log of a proof goes on from a checkpoint that was kept elsewhere.
 * @param log that of the checkpoint in the proof
 * @param prove null: only a checkpoint of the same size can be compared
 */
export async function verifyProofSince(
  note: Buffer,
  { log, trust, prove }: { log: Checkpoint; trust: readonly TrustedKey[] | null; prove: ConsistencyProof | null },
): Promise<EvidenceReport> {
  const found = new EvidenceFindings();
  const earlier = await found.attempt(() => {
    refuseOther(claimedCheckpoint(note), log.origin);
    return signedEarlier(note, { key: null, trust }, found);
  });
  const remedy = 'let the log itself prove it: --db PATH';
  if (earlier !== null) await compare({ what: 'the proof', earlier, checkpoint: log, prove, remedy }, found);
  return found.report();
}

/**
 * Whether a log goes on from a checkpoint that was kept elsewhere.
 * @param log recomputed from its entries: its size, and its root at the size of the checkpoint; null when it is shorter
 * @param key by which signatures are checked where no keys are trusted
 */
export async function verifyLogSince(
  note: Buffer,
  {
    log,
    key,
    trust,
  }: {
    log: { size: number; rootThen: Buffer | null };
    key: VerifierKey | null;
    trust: readonly TrustedKey[] | null;
  },
): Promise<EvidenceReport> {
  const found = new EvidenceFindings();
  const earlier = await found.attempt(() => signedEarlier(note, { key, trust }, found));
  if (earlier === null) return found.report();
  const { size, root } = earlier;
  if (log.rootThen === null) {
    found.problem(`--since: ${size} entries were signed, the log has ${log.size}: entries are gone`);
  } else if (log.rootThen.equals(root)) found.holds(goesOn(size));
  else found.problem(rewritten(size));
  return found.report();
}

function signedEarlier(
  note: Buffer,
  { key, trust }: { key: VerifierKey | null; trust: readonly TrustedKey[] | null },
  found: EvidenceFindings,
): Checkpoint {
  if (trust === null && key === null) {
    found.unchecked('--since: who signed it: there is no key of this log here; give it with --trust FILE');
    return claimedCheckpoint(note);
  }
  if (key === null) {
    const { origin } = claimedCheckpoint(note);
    const verified = verifiedEarlier(note, { origin, key, trust });
    found.holds('--since: is signed by a trusted key of the log');
    for (const seen of witnessedBy(verified)) found.holds(saysSeen(seen, 'the checkpoint given with --since'));
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

function leadsTo(size: number, later: number): string {
  return `the log of ${size} entries is the beginning of the checkpoint of ${later} that was kept elsewhere`;
}

function rewritten(size: number): string {
  return `--since: the log was rewritten: it does not go on from the checkpoint of ${size} entries that was kept elsewhere`;
}
