import type { Observation } from '../judge/index.js';
import { judge, judgeVersionOf, type Verdict } from '../judge/index.js';
import type { EventData } from '../ledger/index.js';
import type { Facts } from '../readings/index.js';
import { sameJson } from './same-json.js';
import { clip, plural } from './words.js';

/** The recorded observations that a decision was made of. */
export interface Evidence {
  observations: readonly Observation[];
  /** sha256 over their recorded lines, each followed by \n, hex. */
  digest: string;
  /** sha256 over the canonical bytes of the recorded policy, hex. */
  policyDigest: string;
  /** What the judge says of these observations under the recorded policy, where they have been judged already. */
  again?: Verdict;
}

/**
 * `agrees`: the same judge says the same, to the byte; `differs`: it does not, or what it judged is not what is
 * recorded; `pruned`: the observations were deleted by retention, as the log says; `other judge`: another version decided; `undecided`: nothing to compare.
 */
export interface Recheck {
  status: 'agrees' | 'differs' | 'pruned' | 'other judge' | 'undecided';
  says: string;
  /** What does not agree; empty unless `differs`. */
  problems: string[];
  observations: { count: number; digest: string; committed: { count: number; digest: string } | null };
}

const SHOUT = 'THE RECORD DOES NOT HOLD: do not rely on it';

/** Judges the recorded observations again and compares the bytes with the recorded verdict; pure. */
export function recheck(facts: Facts, evidence: Evidence): Recheck {
  const { decided, requested } = facts;
  const { observations, digest } = evidence;
  const committed = decided?.data.observations ?? null;
  const found = { count: observations.length, digest };
  const result = (status: Recheck['status'], says: string, problems: string[] = []): Recheck => ({
    status,
    says,
    problems,
    observations: { ...found, committed: committed && { count: committed.count, digest: committed.digest } },
  });
  if (!decided || !committed) return result('undecided', undecidedWords(facts, found.count));
  const pruned = found.count === 0 && isPruned(facts, committed);
  const changed = [
    ...(requested.data.policyDigest === evidence.policyDigest ? [] : ['the policy is not the one that was recorded']),
    ...(pruned ? [] : changes(committed, found)),
  ];
  // Observations other than those judged may be anything: judging them again proves nothing.
  if (changed.length > 0) return result('differs', SHOUT, changed);
  if (pruned) return result('pruned', `cannot be recomputed: ${prunedText(facts)}`);
  const { verdict } = decided.data;
  const version = judgeVersionOf(requested.data.policy);
  if (verdict.judge !== version)
    return result(
      'other judge',
      `cannot be recomputed: decided by judge version ${verdict.judge}, its policy asks for version ${version}`,
    );
  const startedAt = facts.started?.data.startedAt ?? verdict.startedAt;
  const again = evidence.again ?? judge(requested.data.policy, startedAt, observations);
  const problems = differences(verdict, again);
  if (problems.length > 0) return result('differs', SHOUT, problems);
  return result(
    'agrees',
    `recorded and recomputed verdict agree to the byte (${plural(found.count, 'observation')}, sha256 ${digest.slice(0, 12)}…)`,
  );
}

/** Whether the log says that what was judged was deleted on purpose: as many observations, with the digest of the verdict. */
function isPruned({ pruned }: Facts, committed: Pick<Committed, 'count' | 'digest'>): boolean {
  const deleted = pruned?.data.observations;
  return deleted !== undefined && deleted.count === committed.count && deleted.digest === committed.digest;
}

/** What became of observations that are not there. */
export function prunedText({ pruned }: Facts): string {
  if (pruned === null) return 'its observations are missing, and no entry says that they were pruned';
  return `its observations were pruned on ${pruned.ts.slice(0, 10)} by retention (entry ${pruned.seq})`;
}

function undecidedWords(facts: Facts, count: number): string {
  if (!facts.started) return 'nothing to recompute: no check took place';
  if (count === 0) return `cannot be computed: ${prunedText(facts)}`;
  return `computed now from ${plural(count, 'observation')}: no verdict is recorded to compare it with`;
}

type Committed = EventData['canary.decided']['observations'];

function changes(committed: Committed, found: Pick<Committed, 'count' | 'digest'>): string[] {
  if (committed.count !== found.count)
    return [`${plural(committed.count, 'observation')} were judged, ${found.count} are recorded`];
  return committed.digest === found.digest ? [] : ['the recorded observations are not those that were judged'];
}

function differences(recorded: Verdict, again: Verdict): string[] {
  if (sameJson(recorded, again)) return [];
  const keys = [...new Set([...Object.keys(recorded), ...Object.keys(again)])] as (keyof Verdict)[];
  const other = keys.filter((key) => !sameJson(recorded[key] ?? null, again[key] ?? null));
  return other.map((key) => `the verdict's ${key}: recorded ${shown(recorded[key])}, recomputed ${shown(again[key])}`);
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : clip(JSON.stringify(value), 120);
}
