import type { VerifiedCheckpoint } from '../formats/index.js';
import { fingerprint, formatVkey } from '../formats/index.js';
import type { CompletenessFrame } from './completeness.js';
import type { FactCheck } from './facts.js';
import type { PackMeta } from './meta.js';
import type { PackKeys } from './signatures.js';
import type { PackStatement } from './statement.js';
import type { Sum } from './sums.js';

/** One thing that two places of a pack say: where, what, and what it has to be. */
type Claim = readonly [where: string, said: unknown, actual: unknown];

/** What meta.json says that is not so, in words. */
export function metaProblems(
  meta: PackMeta,
  found: { checkpoint: VerifiedCheckpoint; keys: PackKeys; frame: CompletenessFrame; facts: FactCheck; counts: object },
): string[] {
  const { checkpoint, keys, frame, facts, counts } = found;
  return wrong('meta.json', [
    ['log', meta.log, { origin: checkpoint.origin, size: checkpoint.size, root: checkpoint.root.toString('base64') }],
    ['window.from', meta.window.from, frame.from],
    ['window.to', meta.window.to, frame.to],
    ...timeClaims('window.firstTs', 'window.lastTs', [meta.window.firstTs, meta.window.lastTs], frame, facts),
    ['counts', meta.counts, counts],
    ['unreviewed', meta.unreviewed, facts.unreviewed],
    ['judges', meta.judges, [...facts.judges].sort((a, b) => Number(a) - Number(b))],
    ['keys.log.vkey', meta.keys.log.vkey, formatVkey(keys.log)],
    ['keys.log.fingerprint', meta.keys.log.fingerprint, fingerprint(keys.log.publicKey)],
    ['keys.export.fingerprint', meta.keys.export.fingerprint, fingerprint(keys.export)],
  ]);
}

/** What the statement says that is not so, besides its decisions, in words. */
export function statementProblems(
  statement: PackStatement,
  found: {
    sums: readonly Sum[];
    checkpoint: VerifiedCheckpoint;
    keys: PackKeys;
    frame: CompletenessFrame;
    facts: FactCheck;
  },
): string[] {
  const { sums, checkpoint, keys, frame, facts } = found;
  const { subject, predicate } = statement;
  const { window, log, counts } = predicate;
  const key = fingerprint(keys.log.publicKey);
  const { origin, size } = checkpoint;
  return wrong('statement.dsse.json', [
    ['subject', subject, sums.map(({ name, sha256 }) => ({ name, digest: { sha256 } }))],
    ['log', log, { origin, size, root: checkpoint.root.toString('hex'), key }],
    ['window.firstSeq', window.firstSeq, frame.from],
    ['window.endSeq', window.endSeq, frame.to],
    ...(frame.from === frame.to ? [] : timeClaims('window.from', 'window.to', [window.from, window.to], frame, facts)),
    ['counts.promoted', counts.promoted, statement.countOf('PROMOTED')],
    ['counts.rolledBack', counts.rolledBack, statement.countOf('ROLLED_BACK')],
    ['counts.blocked', counts.blocked, statement.countOf('BLOCKED')],
    ['counts.aborted', counts.aborted, statement.countOf('ABORTED')],
    ['counts.failed', counts.failed, statement.countOf('FAILED')],
    ['counts.rejected', counts.rejected, statement.countOf('REJECTED')],
    ['counts.overridden', counts.overridden, facts.overridden],
    ['counts.breakGlass', counts.breakGlass, statement.countOf('break-glass')],
    ['counts.breakGlassUnreviewed', counts.breakGlassUnreviewed, facts.unreviewed.length],
  ]);
}

/** The times of the first and last entry can be told when these are not left out. */
function timeClaims(
  first: string,
  last: string,
  [firstSaid, lastSaid]: readonly [string | null, string | null],
  { from, to }: CompletenessFrame,
  { firstTs, lastTs }: FactCheck,
): Claim[] {
  if (from === to) {
    return [
      [first, firstSaid, null],
      [last, lastSaid, null],
    ];
  }
  return [
    ...(firstTs?.seq === from ? [[first, firstSaid, firstTs.ts] as const] : []),
    ...(lastTs?.seq === to - 1 ? [[last, lastSaid, lastTs.ts] as const] : []),
  ];
}

function wrong(file: string, claims: readonly Claim[]): string[] {
  return claims.filter(([, said, actual]) => !same(said, actual)).map(([where]) => `${file}: ${where} is not so`);
}

/** Members of either may come in any order. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [ours, theirs] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const names = Object.keys(ours);
  return names.length === Object.keys(theirs).length && names.every((name) => same(ours[name], theirs[name]));
}
