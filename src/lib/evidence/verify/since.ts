import type { Checkpoint, VerifiedCheckpoint, VerifierKey } from '../formats/index.js';
import { refused } from '../formats/index.js';
import type { TrustedKey } from '../keys/index.js';
import { verifyConsistency } from '../tree/index.js';
import { EvidenceFindings, type EvidenceReport } from './report.js';
import { claimedCheckpoint, verifyLogCheckpoint } from './signatures.js';
import type { PackTree } from './tree.js';
import { cosignedText, witnessedBy } from './witness.js';

/** An earlier state of the log: a checkpoint that was kept elsewhere, with a valid signature. */
export type Earlier = VerifiedCheckpoint;

/** Asks a log for the RFC 9162 consistency proof between two sizes; null when the log is shorter than the second. */
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
  throw refused(`--since: checkpoint of log ${JSON.stringify(origin)}, expected ${JSON.stringify(expected)}`);
}

function verifiedEarlier(note: Buffer, log: Parameters<typeof verifyLogCheckpoint>[1]): Earlier {
  try {
    return verifyLogCheckpoint(note, log);
  } catch (error) {
    throw refused(`--since: ${(error as Error).message}`, error);
  }
}

/** Whether the pack's log extends the earlier one: from the pack itself where possible, else by a consistency proof. */
export async function checkSince(
  earlier: Earlier,
  { checkpoint, tree, prove }: { checkpoint: VerifiedCheckpoint; tree: PackTree; prove: ConsistencyProof | null },
  findings: EvidenceFindings,
): Promise<void> {
  const { size, root } = earlier;
  if (size <= checkpoint.size && tree.rootThen !== null) {
    if (tree.rootThen.equals(root)) findings.holds(extendsEarlier(size));
    else findings.problem(rewritten(size));
    return;
  }
  const remedy =
    size > checkpoint.size
      ? 'export again up to now, or use a proof from the log itself: --db PATH'
      : 'export again from an earlier time, or use a proof from the log itself: --db PATH';
  await compare({ what: 'the pack', earlier, checkpoint, prove, remedy }, findings);
}

/**
 * Whether two checkpoints belong to one history, whichever is the later one.
 * @param what contains `checkpoint`, in words
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
    const where = later ? `ends at ${checkpoint.size}` : 'cannot prove that far back';
    const todo =
      prove === null
        ? remedy
        : `the database at --db has fewer than ${second.size} entries; pass the log's own database`;
    findings.notShown(`--since: the checkpoint covers ${size} entries, ${what} ${where}: ${todo}`);
    return;
  }
  const claim = { first: first.size, second: second.size, firstRoot: first.root, secondRoot: second.root, path };
  if (!verifyConsistency(claim))
    findings.problem(prove === null ? rewritten(size) : `${rewritten(size)}, or --db is a different log`);
  else findings.holds(later ? isPrefixOf(checkpoint.size, size) : extendsEarlier(size));
}

/**
 * Whether the log of a proof extends a checkpoint that was kept elsewhere.
 * @param log the checkpoint in the proof
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
  const remedy = 'use a proof from the log itself: --db PATH';
  if (earlier !== null) await compare({ what: 'the proof', earlier, checkpoint: log, prove, remedy }, found);
  return found.report();
}

/**
 * Whether a log extends a checkpoint that was kept elsewhere.
 * @param log recomputed from its entries: its size, and its root at the size of the checkpoint (null: the log is shorter)
 * @param key verifies the signature when no keys are trusted
 * @param origins names of the log where it is, by its key and the checkpoints beside it; empty: none is known there
 */
export async function verifyLogSince(
  note: Buffer,
  {
    log,
    key,
    trust,
    origins = new Set(),
  }: {
    log: { size: number; rootThen: Buffer | null };
    key: VerifierKey | null;
    trust: readonly TrustedKey[] | null;
    origins?: ReadonlySet<string>;
  },
): Promise<EvidenceReport> {
  const found = new EvidenceFindings();
  const earlier = await found.attempt(() => {
    // A key says whose checkpoint it is. Trusted keys may be of several logs: which of them this one is they do not say.
    const [own = null] = origins;
    const claimed = claimedCheckpoint(note);
    if (own !== null && !origins.has(claimed.origin)) refuseOther(claimed, own);
    if (own === null && namesOf(trust).size > 1)
      found.unchecked(
        `which log this is: --trust has keys of several, and no key or checkpoint on this machine names it; the checkpoint is of ${JSON.stringify(claimed.origin)}`,
      );
    return signedEarlier(note, { key, trust }, found);
  });
  if (earlier === null) return found.report();
  const { size, root } = earlier;
  if (log.rootThen === null) {
    found.problem(`--since: the checkpoint covers ${size} entries, the log has only ${log.size}: entries are missing`);
  } else if (log.rootThen.equals(root)) found.holds(extendsEarlier(size));
  else found.problem(rewritten(size));
  return found.report();
}

/** The logs that trusted keys name. */
function namesOf(trust: readonly TrustedKey[] | null): Set<string> {
  return new Set((trust ?? []).flatMap(({ kind, vkey }) => (kind === 'log-vkey' && vkey !== null ? [vkey.name] : [])));
}

function signedEarlier(
  note: Buffer,
  { key, trust }: { key: VerifierKey | null; trust: readonly TrustedKey[] | null },
  found: EvidenceFindings,
): Checkpoint {
  if (trust === null && key === null) {
    found.unchecked('signer of --since: no key of this log on this machine; pass it with --trust FILE');
    return claimedCheckpoint(note);
  }
  if (key === null) {
    const { origin } = claimedCheckpoint(note);
    const verified = verifiedEarlier(note, { origin, key, trust });
    found.holds('--since checkpoint: signed by a trusted key of the log');
    for (const seen of witnessedBy(verified)) found.holds(cosignedText(seen, '--since checkpoint'));
    return verified;
  }
  found.unchecked(
    "signer of --since: checked with the log key on this machine only; to check with the operator's key, pass --trust FILE",
  );
  return claimedEarlier(note, { origin: key.name, key, trust });
}

function extendsEarlier(size: number): string {
  return `the log extends the --since checkpoint (${size} entries): nothing before it was changed`;
}

function isPrefixOf(size: number, later: number): string {
  return `the log (${size} entries) is the beginning of the log of the --since checkpoint (${later} entries)`;
}

function rewritten(size: number): string {
  return `--since: the log was rewritten: it does not extend the checkpoint of ${size} entries`;
}
