import type { VerifiedCheckpoint } from '../formats/index.js';
import { fingerprint, formatVkey } from '../formats/index.js';
import type { CompletenessFrame } from './completeness.js';
import type { FactCheck } from './facts.js';
import type { PackMeta } from './meta.js';
import type { PackKeys } from './signatures.js';
import type { PackStatement } from './statement.js';
import type { Sum } from './sums.js';

/** A value that a file of the pack claims: its name there, the claim, and what the rest of the pack shows. */
type Claim = readonly [where: string, claimed: unknown, actual: unknown];

/** Claims of meta.json that do not match the pack, in words. */
export function metaProblems(
  meta: PackMeta,
  found: { checkpoint: VerifiedCheckpoint; keys: PackKeys; frame: CompletenessFrame; facts: FactCheck; counts: object },
): string[] {
  const { checkpoint, keys, frame, facts, counts } = found;
  return mismatches('meta.json', [
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

/** Claims of the statement, besides its decisions, that do not match the pack, in words. */
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
  const judges = [...facts.judges].filter((judge) => typeof judge === 'number').sort((a, b) => a - b);
  return mismatches('statement.dsse.json', [
    ['generator.judge', predicate.generator.judge, judges.join(',') || 'none'],
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

/** Claims of meta.json and of the statement about times that no entry of the pack shows: their paths, by file. */
export function unknownTimes(
  { from, to }: CompletenessFrame,
  { firstTs, lastTs }: FactCheck,
): { meta: string[]; statement: string[] } {
  const first = firstTs?.seq === from;
  const last = lastTs?.seq === to - 1;
  return {
    meta: from === to ? [] : [...(first ? [] : ['window.firstTs']), ...(last ? [] : ['window.lastTs'])],
    statement: [...(first ? [] : ['predicate.window.from']), ...(last ? [] : ['predicate.window.to'])],
  };
}

/** The times of the window's first and last entry: known only when those entries are in the pack. */
function timeClaims(
  first: string,
  last: string,
  [firstClaimed, lastClaimed]: readonly [string | null, string | null],
  { from, to }: CompletenessFrame,
  { firstTs, lastTs }: FactCheck,
): Claim[] {
  if (from === to) {
    return [
      [first, firstClaimed, null],
      [last, lastClaimed, null],
    ];
  }
  return [
    ...(firstTs?.seq === from ? [[first, firstClaimed, firstTs.ts] as const] : []),
    ...(lastTs?.seq === to - 1 ? [[last, lastClaimed, lastTs.ts] as const] : []),
  ];
}

function mismatches(file: string, claims: readonly Claim[]): string[] {
  return claims
    .filter(([, claimed, actual]) => !same(claimed, actual))
    .map(([where]) => `${file}: ${where} does not match the pack`);
}

/** Deep equality; the order of members does not count. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => same(left[name], right[name]));
}
