import { createHash } from 'node:crypto';
import type { Observation } from '../../../src/lib/judge/observation.js';
import type { Policy } from '../../../src/lib/judge/policy.js';
import { judge } from '../../../src/lib/judge/report.js';
import { canonicalJson } from '../../../src/lib/ledger/tree/canonical.js';
import type { Recording } from '../../../src/lib/replay/recording.js';
import type { ReplayRequest } from '../../../src/lib/replay/replay.js';
import { START } from '../judge/looks.js';

/** What a canary of this policy leaves behind: it looks no further than its verdict. */
export function recorded(
  own: Policy,
  observations: readonly Observation[],
  changes: Partial<Recording> = {},
): Recording {
  const verdict = judge(own, START, observations);
  const open = verdict.decision === 'continue';
  const judged = open ? observations : observations.filter(({ tick }) => tick <= verdict.tick);
  const lines = judged.map((observation) => canonicalJson(observation));
  const digest = digestOf(lines);
  return {
    canaryId: 'c-1',
    modelId: 'fraud-v2',
    fromGate: 'stage',
    toGate: 'production',
    startedAt: START,
    own,
    decided: open ? null : { verdict, count: lines.length, digest },
    undecided: open ? 'it is not decided yet' : null,
    overridden: null,
    lines: () => linesOf(lines),
    ...changes,
  };
}

export function digestOf(lines: readonly string[]): string {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(`${line}\n`);
  return hash.digest('hex');
}

export async function* linesOf(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

export function request(changes: Partial<ReplayRequest>): ReplayRequest {
  return {
    from: null,
    to: null,
    modelId: null,
    policyName: 'test',
    given: null,
    settings: [],
    axes: [],
    keepSeries: false,
    log: null,
    ...changes,
  };
}
