import { createHash } from 'node:crypto';
import { LukhasError } from '../errors.js';
import type { Observation, Policy } from '../judge/index.js';
import { judgeVersionOf, type Verdict } from '../judge/index.js';
import { policyDigest } from '../ledger/tree/index.js';
import { Comparison } from './comparison.js';
import { Course, latestEnd } from './course.js';
import { atRecordedLooks } from './outcome-under.js';
import type { Recording } from './recording.js';
import type { CanaryReplay, Difference, Outcome, Side } from './result.js';
import { SignalCheck } from './signals.js';

/**
 * Judges one canary's records again, under its own policy and under another, in one pass.
 * @param see called with every observation that is replayed
 * @throws LukhasError VERIFICATION when the records are not those that the log commits to, or do not give its verdict
 */
export async function replayCanary(
  recording: Recording,
  policy: Policy,
  see?: (observation: Observation) => void,
): Promise<CanaryReplay> {
  const { own, startedAt, decided } = recording;
  const other = atRecordedLooks(policy, own);
  const comparison = new Comparison(own && new Course(own, startedAt), new Course(other, startedAt));
  const watched = recording.askedByOwn === false ? null : own;
  const signals = new SignalCheck(other, watched);
  const ownSignals = own === null ? null : new SignalCheck(own, watched);
  const records = await readRecords(recording, (observation) => {
    comparison.take(observation);
    signals.see(observation);
    ownSignals?.see(observation);
    see?.(observation);
  });
  const pruned = decided !== null && records.count === 0 && recording.pruned !== undefined;
  if (!pruned) checkRecords(recording, records, comparison.original);
  const lacking = pruned
    ? `its ${decided.count} observations were pruned on ${recording.pruned?.ts.slice(0, 10)} by retention (entry ${recording.pruned?.seq})`
    : (signals.lacking() ?? endLacking(recording, comparison.counterfactual));
  const judged = !pruned && signals.lacking() === null;
  const original = originalSide(recording, comparison.original, other, ownSignals?.lacking() ?? null);
  const counterfactual = sideOf(other, lacking, judged ? comparison.counterfactual.verdict() : null);
  const known = original.outcome !== 'insufficient' && counterfactual.outcome !== 'insufficient';
  const { canaryId, modelId, fromGate, toGate } = recording;
  return {
    canaryId,
    modelId,
    fromGate,
    toGate,
    startedAt,
    original,
    counterfactual,
    flips: known ? original.outcome !== counterfactual.outcome : null,
    divergence: judged ? comparison.divergence : null,
    difference: known ? difference(original, counterfactual, comparison) : null,
    observations: {
      count: records.count,
      digest: records.digest,
      verified: decided !== null && !pruned,
    },
  };
}

interface Records {
  count: number;
  digest: string;
}

const HASHED_AT_ONCE = 65_536;

/** Reads the observations that were judged: the log commits to none after the tick of the verdict. */
async function readRecords({ lines, decided }: Recording, see: (observation: Observation) => void): Promise<Records> {
  const hash = createHash('sha256');
  let count = 0;
  // Many lines at once: each call of the hash costs about as much as the hashing of a line.
  let unhashed = '';
  for await (const line of lines()) {
    const observation = JSON.parse(line) as Observation;
    if (decided && observation.tick > decided.verdict.tick) break;
    unhashed += `${line}\n`;
    if (unhashed.length > HASHED_AT_ONCE) {
      hash.update(unhashed);
      unhashed = '';
    }
    count++;
    see(observation);
  }
  hash.update(unhashed);
  return { count, digest: hash.digest('hex') };
}

function checkRecords({ canaryId, decided }: Recording, records: Records, original: Course | null): void {
  if (decided === null) return;
  if (records.count !== decided.count || records.digest !== decided.digest)
    throw new LukhasError(
      'VERIFICATION',
      `${canaryId}: the recorded observations are not the ones its verdict commits to.`,
      {
        suggestions: ['Find the damage: lukhas verify'],
      },
    );
  const { verdict } = decided;
  if (original === null || verdict.judge !== judgeVersionOf(original.policy)) return;
  const again = original.ruling;
  if (again?.decision === verdict.decision && again.reason === verdict.reason && original.at === verdict.at) return;
  throw new LukhasError(
    'VERIFICATION',
    `${canaryId}: the recorded verdict (${verdict.decision}, ${verdict.reason}) is not what its observations give under its policy (${again?.decision ?? 'nothing'}, ${again?.reason ?? 'no observations'}).`,
    {
      suggestions: ['Someone who could rewrite the whole log changed it, or this is a bug: please report it.'],
    },
  );
}

function originalSide(recording: Recording, course: Course | null, other: Policy, unrecorded: string | null): Side {
  const { own, decided, undecided, overridden } = recording;
  // Without a recorded policy the one it is judged by is shown.
  const policy = own ?? other;
  if (decided !== null) return { ...sideOf(policy, null, decided.verdict), overridden };
  const lacking =
    undecided ?? unrecorded ?? (course === null ? 'the records do not have its policy' : endLacking(recording, course));
  return { ...sideOf(policy, lacking, unrecorded === null ? (course?.verdict() ?? null) : null), overridden };
}

function sideOf(policy: Policy, lacking: string | null, verdict: Verdict | null): Side {
  return {
    policy,
    policyDigest: policyDigest(policy),
    outcome: lacking === null ? outcomeOf(verdict) : 'insufficient',
    lacking,
    verdict,
    overridden: null,
  };
}

function outcomeOf(verdict: Verdict | null): Outcome {
  return verdict === null || verdict.decision === 'continue' ? 'insufficient' : verdict.decision;
}

const DECIDED = { promote: 'promoted', rollback: 'rolled back', block: 'blocked', continue: 'last checked' } as const;

/** Why the records do not last until a policy decides; null when they do. */
function endLacking({ decided, startedAt }: Recording, course: Course): string | null {
  if (course.decided) return null;
  if (course.ruling === null) return 'nothing was recorded';
  const seconds = (ms: number) => Math.round(ms - startedAt) / 1000;
  const ended = decided ? `, when it was ${DECIDED[decided.verdict.decision]}` : '';
  const end = latestEnd(course.policy, startedAt);
  return `the window ends ${seconds(end)} s after the start, but the records end after ${seconds(course.at)} s${ended}`;
}

function difference(original: Side, counterfactual: Side, comparison: Comparison): Difference | null {
  if (original.verdict === null || counterfactual.verdict === null) return null;
  const seconds = Math.round(counterfactual.verdict.at - original.verdict.at) / 1000;
  return { seconds, ...(comparison.served ?? { requests: null, badRequests: null }) };
}
