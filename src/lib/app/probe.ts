import { stat } from 'node:fs/promises';
import { LukhasError } from '../errors.js';
import type { Builtin, JobMetrics } from '../jobs/index.js';
import type { Ledger } from '../ledger/index.js';
import { newHolder } from '../ledger/index.js';
import { canonicalJson, leafHash, verifyInclusion } from '../ledger/tree/index.js';
import { Turns } from '../turns.js';
import { verifyInThread } from './verify-in-thread.js';

/** Beyond these a whole verification takes more than a probe may: entries, and bytes of the file. */
const WHOLE_ENTRIES = 50_000;
const WHOLE_BYTES = 64 * 1024 * 1024;
/** Entries of a sample: so many of the newest, and as many spread evenly over the rest. */
const SAMPLE = 200;
const COMMITS = 5;
const READS = 20;
const LEASE_MS = 1000;

interface Probed {
  ledger: Ledger;
  /** The database file. */
  path: string;
  now: () => number;
}

/**
 * The built-in task `probe`: verifies the log, all of it while it is small, else a sample of its entries against its
 * root; then measures commits, reads and the file. Writes nothing but a lease of its own, which it gives back.
 */
export function probeOf(probed: Probed): Builtin {
  return async ({ jobId, signal }) => {
    const verified = await verify(probed, signal);
    return { ...verified, ...(await latencies(probed, jobId)), ...(await fileSizes(probed.path)) };
  };
}

async function verify({ ledger, path }: Probed, signal: AbortSignal): Promise<JobMetrics> {
  const began = performance.now();
  const { size, root } = await ledger.root();
  const whole = size < WHOLE_ENTRIES && (await bytesOf(path)) < WHOLE_BYTES;
  const checked = whole ? await verifyWhole(path, signal) : await verifySample(ledger, size, root, signal);
  return {
    log_entries: size,
    log_root: root.toString('hex'),
    checked: whole ? 'the whole log' : 'a sample of the log',
    entries_checked: checked,
    verify_ms: since(began),
  };
}

async function verifyWhole(path: string, signal: AbortSignal): Promise<number> {
  const report = await verifyInThread({ path, summaries: false }, signal);
  if (report.ok) return report.size;
  throw doesNotHold(report.firstBad ? `entry ${report.firstBad.seq}: ${report.firstBad.what}` : report.problems[0]);
}

async function verifySample(ledger: Ledger, size: number, root: Buffer, signal: AbortSignal): Promise<number> {
  const newest = Math.max(0, size - SAMPLE);
  const step = Math.max(1, Math.floor(newest / SAMPLE));
  const spread = Array.from({ length: Math.min(SAMPLE, newest) }, (_, i) => i * step);
  const recent = Array.from({ length: size - newest }, (_, i) => newest + i);
  const turns = new Turns();
  for (const seq of [...spread, ...recent]) {
    await turns.next();
    signal.throwIfAborted();
    const [event] = await ledger.events({ from: seq, limit: 1 });
    const leaf = event?.seq === seq ? leafHash(canonicalJson(event, `entry ${seq}`)) : null;
    if (!leaf || !verifyInclusion(seq, size, leaf, await ledger.inclusionProof(seq, size), root))
      throw doesNotHold(`entry ${seq} does not match the root of the log`);
  }
  return spread.length + recent.length;
}

function doesNotHold(what: string | undefined): LukhasError {
  return new LukhasError('VERIFICATION', `the log failed verification: ${what ?? 'see lukhas verify'}`);
}

async function latencies({ ledger, now }: Probed, jobId: string): Promise<JobMetrics> {
  const holder = newHolder();
  const subject = `probe:${jobId}`;
  const commits: number[] = [];
  for (let i = 0; i < COMMITS; i++) {
    const began = performance.now();
    await ledger.acquireLease(subject, holder, now(), LEASE_MS);
    commits.push(since(began));
  }
  await ledger.releaseLease(subject, holder);
  const size = await ledger.size();
  const reads: number[] = [];
  for (let i = 0; i < READS; i++) {
    const began = performance.now();
    await ledger.events({ from: Math.floor((i * size) / READS), limit: 1 });
    reads.push(since(began));
  }
  return {
    commit_ms_median: median(commits),
    commit_ms_max: Math.max(...commits),
    read_ms_median: median(reads),
    read_ms_max: Math.max(...reads),
  };
}

async function fileSizes(path: string): Promise<JobMetrics> {
  return { database_bytes: await bytesOf(path), wal_bytes: await bytesOf(`${path}-wal`) };
}

async function bytesOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Milliseconds, to the microsecond. */
function since(began: number): number {
  return Math.round((performance.now() - began) * 1000) / 1000;
}
