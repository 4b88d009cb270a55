import { createHash } from 'node:crypto';
import { unreadable } from '../../ledger/verify/index.js';
import { canonicalPart, parseCanonical } from './canonical.js';

/** A recorded entry, with the members that a verifier needs. */
export interface Entry {
  seq: number;
  ts: string;
  kind: string;
  subject: string;
  v: number;
  data: Readonly<Record<string, unknown>>;
}

const MEMBERS = 'data,kind,seq,subject,ts,v';
const RFC3339_UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;
const KIND = /^[a-z]+\.[a-z]+$/;

/** The entry that these bytes record, or what is wrong with them. */
export function readEntry(bytes: Buffer): Entry | string {
  const entry = parseCanonical(bytes) as Partial<Record<keyof Entry, unknown>> | undefined;
  if (entry === undefined) return 'is not canonical JSON (RFC 8785)';
  if (!isRecord(entry) || Object.keys(entry).join() !== MEMBERS) return `is not an event with the members ${MEMBERS}`;
  const { seq, ts, kind, subject, v, data } = entry;
  if (!isCount(seq)) return 'has no sequence number';
  if (typeof ts !== 'string' || !RFC3339_UTC.test(ts) || Number.isNaN(Date.parse(ts))) return 'has no time in UTC';
  if (typeof kind !== 'string' || !KIND.test(kind)) return 'has no kind';
  if (typeof subject !== 'string' || subject === '') return 'has no subject';
  const foreign = unreadable(kind, v);
  if (foreign !== null || !isCount(v)) return `cannot be read: ${foreign}`;
  return isRecord(data) ? { seq, ts, kind, subject, v, data } : 'has no data';
}

/** Digest of the policy in a request (null: it has none), and the digest that the request claims. */
export function policyOf({ data }: Entry): { digest: string | null; claimed: unknown } {
  const text = isRecord(data['policy']) ? canonicalPart(data['policy']) : undefined;
  const digest = text === undefined ? null : createHash('sha256').update(text).digest('hex');
  return { digest, claimed: data['policyDigest'] };
}

/** What a decision commits to: the observations it judged. Null when it does not say so in a form that can be checked. */
export interface Commitment {
  tick: number;
  judge: unknown;
  count: number;
  firstAt: unknown;
  lastAt: unknown;
  digest: unknown;
}

export function commitmentOf({ data }: Entry): Commitment | null {
  const { verdict, observations } = data;
  if (!isRecord(verdict) || !isRecord(observations)) return null;
  const { tick, judge } = verdict;
  const { count, firstAt, lastAt, digest } = observations;
  if (typeof tick !== 'number' || !isCount(count)) return null;
  return { tick, judge, count, firstAt, lastAt, digest };
}

/** What a request says of its canary, and the statement of a pack repeats. */
export interface Asked {
  modelId: unknown;
  fromGate: unknown;
  toGate: unknown;
  policyDigest: unknown;
}

const VERDICTS: Readonly<Record<string, string>> = { promote: 'PROMOTED', rollback: 'ROLLED_BACK', block: 'BLOCKED' };

/** Whether the requested canary's promotion waits for people to approve it. */
export function waitsForApproval({ data }: Entry): boolean {
  return isRecord(data['policy']) && isRecord(data['policy']['approvals']) && data['dryRun'] !== true;
}

/**
 * How this entry ended its canary, in the statement's terms; null for an entry that does not end one.
 * @param waits whether its promotion waits for approval; null where the request is not in the pack: then it may be either
 */
export function endOf({ kind, data }: Entry, waits: boolean | null): { outcomes: string[]; basis: string } | null {
  const promoted = waits === null ? ['PROMOTED', 'BLOCKED'] : [waits ? 'BLOCKED' : 'PROMOTED'];
  switch (kind) {
    case 'canary.decided': {
      const outcome = VERDICTS[String(isRecord(data['verdict']) ? data['verdict']['decision'] : undefined)];
      return { outcomes: outcome === 'PROMOTED' ? promoted : [outcome ?? 'unknown'], basis: 'evidence' };
    }
    case 'canary.approved':
      // One of several approvals ends nothing yet.
      return Number(data['count']) < Number(data['required']) ? null : { outcomes: ['PROMOTED'], basis: 'evidence' };
    case 'canary.overridden':
      return { outcomes: promoted, basis: 'person' };
    default: {
      const [outcome, basis] = ENDS[kind] ?? [];
      return outcome === undefined || basis === undefined ? null : { outcomes: [outcome], basis };
    }
  }
}

/** Kinds whose outcome and basis are always the same. */
const ENDS: Readonly<Record<string, readonly [outcome: string, basis: string]>> = {
  'canary.lapsed': ['BLOCKED', 'person'],
  'canary.rejected': ['REJECTED', 'person'],
  'canary.forced': ['PROMOTED', 'break-glass'],
  'canary.aborted': ['ABORTED', 'person'],
  'canary.failed': ['FAILED', 'error'],
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
