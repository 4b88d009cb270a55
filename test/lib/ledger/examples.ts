import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Observation } from '../../../src/lib/judge/observation.js';
import type { Policy } from '../../../src/lib/judge/policy.js';
import type { Verdict } from '../../../src/lib/judge/verdict.js';
import type { EventDraft } from '../../../src/lib/ledger/events.js';
import type { SummaryDraft } from '../../../src/lib/ledger/ledger.js';
import { canonicalJson } from '../../../src/lib/ledger/tree/canonical.js';
import { policyDigest } from '../../../src/lib/ledger/tree/policy-digest.js';

/** Runs `test` with the path of a ledger in a folder that is removed afterwards. */
export async function withFolder(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lukhas-ledger-'));
  try {
    await test(join(folder, 'log.db'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const TS = '2026-01-02T03:04:05.678Z';

export function finished(subject: string, index = 0): EventDraft {
  const data = { action: 'promote', hook: 'deploy', index, attempt: 1, ok: true, detail: '', durationMs: 1.5 } as const;
  return { kind: 'hook.finished', subject, ts: TS, data };
}

export function head(subject: string, more: Partial<SummaryDraft> = {}): SummaryDraft {
  return { subject, type: 'canary', state: 'RUNNING', modelId: 'm', open: true, data: {}, ...more };
}

export function observation(tick: number): Observation {
  const canary = { errors: { state: 'ok', bad: tick, total: 100 } } as const;
  return { v: 1, tick, t: 1_000_000 + tick * 5000.5, from: 1_000_000, canary };
}

/** The decision on the first `count` observations above. */
export function decided(subject: string, count: number): EventDraft {
  const rows = Array.from({ length: count }, (_, tick) => observation(tick));
  const digest = createHash('sha256');
  for (const row of rows) digest.update(`${canonicalJson(row)}\n`);
  const observations = {
    count,
    firstAt: rows[0]?.t ?? null,
    lastAt: rows.at(-1)?.t ?? null,
    digest: digest.digest('hex'),
  };
  return { kind: 'canary.decided', subject, ts: TS, data: { verdict: verdict(count - 1), observations } };
}

function verdict(tick: number): Verdict {
  return {
    judge: 1,
    decision: 'block',
    certainty: 'undecided',
    reason: 'no_source',
    decidedBy: null,
    tick,
    at: 1,
    startedAt: 0,
    elapsedSeconds: 1,
    savedSeconds: 0,
    alpha: { rollback: 0.01, promote: 0.01 },
    evidence: { logE: 0, logThreshold: 4.6, path: [] },
    objectives: [],
    ticks: { looked: 1, withData: 0, planned: 1, gaps: 0, resets: 0 },
    coverage: 0,
    noData: null,
    assumptions: [],
  };
}

const POLICY: Policy = {
  version: 1,
  windowSeconds: 120,
  intervalSeconds: 5,
  targets: { max_error_rate: 0.01 },
  alpha: { rollback: 0.01, promote: 0.01 },
  promote: 'end',
  onInconclusive: 'block',
  maxWindowSeconds: 120,
  onNoData: 'block',
  noDataSeconds: 60,
  minCoverage: 0.8,
  baseline: 'auto',
  relative: {},
  designEffect: { batchSize: 1, estimate: false },
  maxConsecutiveFailures: 3,
  objectives: [],
};

const BY = { who: 'ada', how: 'os-user' } as const;
const event = (rest: Pick<EventDraft, 'kind' | 'data'>) => ({ subject: 'c1', ts: TS, ...rest }) as EventDraft;

/** One of every kind; those of a canary and its gate come first. */
export const EXAMPLES: readonly EventDraft[] = [
  event({
    kind: 'canary.requested',
    data: {
      modelId: 'm',
      fromGate: 'stage',
      toGate: 'prod',
      policy: POLICY,
      policyDigest: policyDigest(POLICY),
      source: { kind: 'none' },
      dryRun: false,
      requestedBy: BY,
    },
  }),
  event({ kind: 'canary.started', data: { startedAt: 1 } }),
  event({ kind: 'canary.extended', data: { tick: 3, windowEndsAt: 9, reason: 'inconclusive' } }),
  event({ kind: 'canary.held', data: { tick: 3, objective: 'errors' } }),
  event({ kind: 'fallback.engaged', data: { tick: 3, since: 1, total: true, states: { errors: 'absent' } } }),
  event({ kind: 'fallback.released', data: { tick: 4, seconds: 5 } }),
  decided('c1', 0),
  event({ kind: 'canary.acted', data: { action: 'promote', ok: false, failed: 'deploy', hooks: 1 } }),
  event({ kind: 'canary.retried', data: { by: BY, action: 'promote' } }),
  event({ kind: 'canary.aborted', data: { by: BY, reason: '' } }),
  event({ kind: 'canary.overridden', data: { by: BY, reason: 'known fault of the probe' } }),
  event({ kind: 'canary.failed', data: { code: 'PROMQL', message: 'no' } }),
  event({ kind: 'hook.intended', data: { action: 'rollback', hook: 'deploy', index: 0, attempt: 1, key: 'k' } }),
  finished('c1'),
  event({
    kind: 'gate.changed',
    data: { gate: 'prod', modelId: 'm', previous: null, canaryId: 'c1', by: BY },
  }),
  event({
    kind: 'promotion.requested',
    data: { modelId: 'm', gate: 'prod', fromGate: 'stage', previous: null, canaryId: 'c1', requestedBy: BY },
  }),
  event({ kind: 'promotion.finished', data: { ok: true, failed: null, hooks: 0, changed: true } }),
  event({
    kind: 'job.queued',
    data: {
      taskId: 'smoke',
      configId: null,
      dryRun: false,
      command: ['true'],
      timeoutSeconds: 60,
      requestedBy: BY,
    },
  }),
  event({ kind: 'job.running', data: { pid: 1, processStartedAt: '1' } }),
  event({ kind: 'job.completed', data: { durationMs: 1, exitCode: 0, metrics: { accuracy: 0.9 }, output: null } }),
  event({
    kind: 'job.failed',
    data: {
      reason: 'exit',
      message: 'exit code 1',
      durationMs: 1,
      exitCode: 1,
      output: { bytes: 2, tail: 'no', truncated: false },
      by: null,
    },
  }),
  event({
    kind: 'evidence.failed',
    data: { by: BY, from: 0, to: 3, reason: 'interrupted', message: 'the client has gone' },
  }),
  event({
    kind: 'canary.approved',
    data: {
      by: { who: 'bo', how: 'os-user' },
      reason: 'looked at the report',
      digest: '1'.repeat(64),
      gate: { holder: null, seq: -1 },
      count: 1,
      required: 2,
    },
  }),
  event({ kind: 'canary.rejected', data: { by: BY, reason: 'not before the holiday' } }),
  event({ kind: 'canary.lapsed', data: { cause: 'gate', holder: 'm2', begun: false } }),
  event({ kind: 'canary.forced', data: { by: BY, reason: 'production is down, m has the fix', reviewDueAt: 9 } }),
  event({ kind: 'canary.reviewed', data: { by: { who: 'bo', how: 'os-user' }, reason: 'it was needed' } }),
  event({
    kind: 'canary.pruned',
    data: { by: BY, olderThanDays: 30, observations: { count: 3, digest: '2'.repeat(64) } },
  }),
  event({
    kind: 'maintenance.finished',
    data: { by: BY, canaries: 1, observations: 3, freedBytes: 4096, durationMs: 20 },
  }),
  event({
    kind: 'backup.made',
    data: { by: BY, file: null, bytes: 9, sha256: '3'.repeat(64), size: 4, root: '4'.repeat(64), durationMs: 20 },
  }),
  event({
    kind: 'backup.restored',
    data: { by: BY, sha256: '3'.repeat(64), size: 4, root: '4'.repeat(64), replaced: null },
  }),
];
