import { expect } from 'chai';
import { eventText } from '../../../src/daemon/sse/frames.js';
import type { Observation } from '../../../src/lib/judge/observation.js';
import type { Decision } from '../../../src/lib/judge/verdict.js';
import type { EventDraft, StoredEvent } from '../../../src/lib/ledger/events.js';
import type { FeedItem } from '../../../src/lib/ledger/ledger.js';
import { type Subject, streamEvent, subjectOf } from '../../../src/lib/stream/event.js';
import { decided, EXAMPLES, TS } from '../../lib/ledger/examples.js';

const CANARY: Subject = { type: 'canary', modelId: 'm', fromGate: 'stage', toGate: 'prod', dryRun: false };
const JOB: Subject = { type: 'job', taskId: 'smoke', configId: null, dryRun: false };

function item(draft: EventDraft): FeedItem {
  return { type: 'event', event: { seq: 7, v: 1, ...draft } as StoredEvent, position: { seq: 8, row: 3 } };
}

function told(draft: EventDraft): { name: string; data: Record<string, unknown>; topics: string[] } | null {
  return streamEvent(item(draft), draft.kind.startsWith('job.') ? JOB : CANARY);
}

function example(kind: EventDraft['kind']): EventDraft {
  return EXAMPLES.find((event) => event.kind === kind)!;
}

/** Name and status of what is told; nothing is of other kinds. */
const TOLD: Partial<Record<EventDraft['kind'], [string, string]>> = {
  'canary.requested': ['requested', 'PENDING'],
  'canary.started': ['started', 'RUNNING'],
  'canary.extended': ['extended', 'RUNNING'],
  'canary.held': ['held', 'RUNNING'],
  'fallback.engaged': ['fallback', 'RUNNING'],
  'fallback.released': ['fallback', 'RUNNING'],
  'canary.decided': ['blocked', 'BLOCKED'],
  'canary.acted': ['acted', 'PROMOTED'],
  'canary.aborted': ['aborted', 'ABORTED'],
  'canary.overridden': ['promoted', 'PROMOTED'],
  'canary.failed': ['failed', 'FAILED'],
  'hook.finished': ['hook', 'PROMOTED'],
  'canary.approved': ['approved', 'BLOCKED'],
  'canary.rejected': ['rejected', 'BLOCKED'],
  'canary.lapsed': ['lapsed', 'BLOCKED'],
  'canary.forced': ['promoted', 'PROMOTED'],
  'canary.reviewed': ['reviewed', 'PROMOTED'],
  'job.queued': ['queued', 'queued'],
  'job.running': ['running', 'running'],
  'job.completed': ['completed', 'completed'],
  'job.failed': ['failed', 'failed'],
};

describe('frames of the event stream', () => {
  for (const draft of EXAMPLES) {
    const expected = TOLD[draft.kind] ?? null;
    it(`tells ${expected?.[0] ?? 'nothing'} of ${draft.kind}`, () => {
      const event = told(draft);
      expect(event && [event.name, event.data['status']]).to.deep.equal(expected);
    });
  }

  it('knows an example of all it tells', () => {
    const examples = new Set<string>(EXAMPLES.map(({ kind }) => kind));
    expect(Object.keys(TOLD).filter((kind) => !examples.has(kind))).to.deep.equal([]);
  });

  it('says of every canary event when, which canary, which model and which gates', () => {
    for (const draft of EXAMPLES) {
      const event = draft.kind.startsWith('job.') ? null : told(draft);
      if (event === null) continue;
      expect(event.topics).to.deep.equal(['canaries', 'canary/c1', 'canary/*']);
      expect(event.data).to.include({ ts: TS, canaryId: 'c1', modelId: 'm', fromGate: 'stage', toGate: 'prod' });
    }
  });

  it('says of every job event when, which job and which task, and not what its program wrote', () => {
    for (const draft of EXAMPLES.filter(({ kind }) => kind.startsWith('job.'))) {
      const event = told(draft);
      expect(event?.topics).to.deep.equal(['jobs', 'job/c1', 'job/*']);
      expect(event?.data).to.include({ ts: TS, jobId: 'c1', taskId: 'smoke' }).and.not.have.property('output');
    }
    expect(told(example('job.completed'))?.data['metrics']).to.deep.equal({ accuracy: 0.9 });
    expect(told(example('job.failed'))?.data).to.include({ reason: 'exit', message: 'exit code 1', exitCode: 1 });
  });

  const outcomes: [Decision, string][] = [
    ['promote', 'promoted'],
    ['rollback', 'rolled_back'],
    ['block', 'blocked'],
  ];
  for (const [decision, name] of outcomes) {
    it(`names a decision to ${decision} ${name}, with its reason`, () => {
      const draft = decided('c1', 1) as Extract<EventDraft, { kind: 'canary.decided' }>;
      const verdict = { ...draft.data.verdict, decision, reason: 'evidence_against', decidedBy: 'p95' } as const;
      const event = told({ ...draft, data: { ...draft.data, verdict } });
      expect(event?.name).to.equal(name);
      expect(event?.data).to.include({
        status: name.toUpperCase(),
        reason: 'evidence_against',
        certainty: 'undecided',
      });
      expect(event?.data).to.include({ decidedBy: 'p95', override: false });
    });
  }

  it('tells a promotion that people have to approve when they have, and not before', () => {
    const draft = decided('c1', 1) as Extract<EventDraft, { kind: 'canary.decided' }>;
    const of = (decision: Decision): EventDraft => {
      const verdict = { ...draft.data.verdict, decision, reason: 'certified_at_end' } as const;
      return { ...draft, data: { ...draft.data, verdict } };
    };
    const asked = { ...CANARY, approvals: 2 };
    const news = (event: EventDraft) => {
      const said = streamEvent(item(event), asked);
      return said && [said.name, said.data['status'], said.data['approvals'] ?? null];
    };
    expect(news(of('promote'))).to.deep.equal(['awaiting_approval', 'BLOCKED', null]);
    expect(streamEvent(item(of('promote')), asked)?.data).to.include({ required: 2, reason: 'certified_at_end' });
    expect(news(example('canary.overridden'))).to.deep.equal(['awaiting_approval', 'BLOCKED', null]);
    expect(news(of('rollback'))).to.deep.equal(['rolled_back', 'ROLLED_BACK', null]);
    expect(news(of('block'))).to.deep.equal(['blocked', 'BLOCKED', null]);
    const approval = example('canary.approved') as Extract<EventDraft, { kind: 'canary.approved' }>;
    expect(news(approval)).to.deep.equal(['approved', 'BLOCKED', 1]);
    expect(news({ ...approval, data: { ...approval.data, count: 2 } })).to.deep.equal(['promoted', 'PROMOTED', 2]);
  });

  it('knows from the request whether people have to approve', () => {
    const request = example('canary.requested') as Extract<EventDraft, { kind: 'canary.requested' }>;
    const approvals = { required: 2, not: 'requester', expiresAfter: '24h' } as const;
    const of = (dryRun: boolean) => {
      const policy = { ...request.data.policy, approvals };
      return subjectOf({ seq: 0, v: 1, ...request, data: { ...request.data, policy, dryRun } });
    };
    expect(of(false)).to.deep.equal({ ...CANARY, approvals: 2 });
    expect(of(true)).to.deep.equal({ ...CANARY, dryRun: true });
  });

  it('marks a promotion by hand, with who and why', () => {
    expect(told(example('canary.overridden'))?.data).to.include({
      override: true,
      by: 'ada',
      reason: 'known fault of the probe',
      certainty: 'uncertified',
      decidedBy: null,
    });
  });

  it('tells nothing of hooks and other events of what is neither canary, job nor gate', () => {
    for (const draft of EXAMPLES)
      if (draft.kind !== 'gate.changed') expect(streamEvent(item(draft), null), draft.kind).to.equal(null);
  });

  it('tells of a gate who holds it now, who did before, what proved it and who changed it', () => {
    expect(streamEvent(item({ ...example('gate.changed'), subject: 'gate:prod' }), null)).to.deep.equal({
      topics: ['gates', 'gate/prod', 'gate/*'],
      name: 'gate_changed',
      data: { ts: TS, gate: 'prod', modelId: 'm', previous: null, canaryId: 'c1', by: 'ada' },
    });
  });

  it('tells of a promotion what was asked for and how it ended, to who follows its gate', () => {
    const promotion: Subject = { type: 'promotion', modelId: 'm', gate: 'prod' };
    const [asked, finished] = (['promotion.requested', 'promotion.finished'] as const).map((kind) =>
      streamEvent(item({ ...example(kind), subject: 'p-1' }), promotion),
    );
    const head = { ts: TS, promotionId: 'p-1', modelId: 'm', gate: 'prod' };
    expect(asked).to.deep.equal({
      topics: ['gates', 'gate/prod', 'gate/*'],
      name: 'promotion_requested',
      data: { ...head, fromGate: 'stage', previous: null, canaryId: 'c1', by: 'ada' },
    });
    expect(finished).to.deep.equal({
      topics: ['gates', 'gate/prod', 'gate/*'],
      name: 'promotion_finished',
      data: { ...head, ok: true, failed: null, changed: true },
    });
    for (const draft of EXAMPLES.filter(({ kind }) => kind.startsWith('hook.')))
      expect(streamEvent(item(draft), promotion)).to.equal(null);
  });

  it('is one event of one line of data, whatever a person wrote', () => {
    const reason = 'it\nfailed\r\n\ndata: {"forged": true}\u2028';
    const by = { who: 'ada', how: 'os-user' } as const;
    const aborted = item({ kind: 'canary.aborted', subject: 'c1', ts: TS, data: { by, reason } });
    const { name, data } = streamEvent(aborted, CANARY)!;
    const lines = eventText('8.3.0a1b2c3d', name, data).split(/\r\n|\r|\n/);
    expect(lines).to.have.length(5);
    expect(lines.slice(0, 2)).to.deep.equal(['id: 8.3.0a1b2c3d', 'event: aborted']);
    expect(JSON.parse(lines[2]!.slice('data: '.length))).to.include({ reason });
  });

  it('takes what is repeated from the events that ask for a canary and a job', () => {
    const of = (kind: EventDraft['kind']) => subjectOf({ seq: 0, v: 1, ...example(kind) } as StoredEvent);
    expect(of('canary.requested')).to.deep.equal(CANARY);
    expect(of('job.queued')).to.deep.equal(JOB);
    expect(of('promotion.requested')).to.deep.equal({ type: 'promotion', modelId: 'm', gate: 'prod' });
    expect(of('canary.started')).to.equal(null);
  });
});

describe('metric events', () => {
  function metric(more: Partial<Observation>): { name: string; data: Record<string, unknown>; topics: string[] } {
    const observation: Observation = {
      v: 1,
      tick: 4,
      t: 1_767_323_045_678,
      from: 1_767_323_040_678,
      canary: {},
      ...more,
    };
    return streamEvent({ type: 'observation', canaryId: 'c1', observation, position: { seq: 1, row: 2 } }, CANARY)!;
  }

  it('go to metrics and to their canary, not to canaries', () => {
    const { topics, name, data } = metric({});
    expect(topics).to.deep.equal(['metrics', 'canary/c1', 'canary/*']);
    expect(name).to.equal('metric');
    expect(data).to.include({
      ts: '2026-01-02T03:04:05.678Z',
      canaryId: 'c1',
      status: 'RUNNING',
      tick: 4,
      modelId: 'm',
    });
  });

  it('give the numbers of the look, and those of the baseline', () => {
    const { data } = metric({
      canary: {
        errors: { state: 'ok', bad: 3, total: 100 },
        latency: { state: 'ok', bounds: [100, 200], counts: [90, 10, 0] },
      },
      baseline: { errors: { state: 'ok', bad: 1, total: 3 } },
    });
    expect(data).to.include({ error_rate: 0.03, latency_p95_ms: 150, requests: 100, drift: null });
    expect(data['states']).to.deep.equal({ latency: 'ok', errors: 'ok', drift: 'not_asked' });
    expect(data['baseline']).to.deep.include({ error_rate: 0.333333, latency_p95_ms: null });
  });

  it('have null and the state where there is no number', () => {
    const { data } = metric({ canary: { errors: { state: 'absent' }, latency: { state: 'unreachable' } } });
    expect(data).to.include({ error_rate: null, latency_p95_ms: null, drift: null, requests: null });
    expect(data['states']).to.deep.equal({ latency: 'unreachable', errors: 'absent', drift: 'not_asked' });
  });

  it('do not divide by no requests', () => {
    const { data } = metric({
      canary: { errors: { state: 'ok', bad: 0, total: 0 }, latency: { state: 'ok', bounds: [1], counts: [0, 0] } },
    });
    expect(data).to.include({ error_rate: null, latency_p95_ms: null, requests: 0 });
    expect(data['states']).to.include({ latency: 'no_requests', errors: 'no_requests' });
  });

  it('take numbers of expressions where there are no counts', () => {
    const scalars = {
      latency_p95_ms: { state: 'ok', value: 212.5 },
      error_rate: { state: 'stale' },
      drift: { state: 'ok', value: 0.07 },
    } as const;
    const { data } = metric({ scalars });
    expect(data).to.include({ latency_p95_ms: 212.5, error_rate: null, drift: 0.07 });
    expect(data['states']).to.deep.equal({ latency: 'ok', errors: 'stale', drift: 'ok' });
  });

  it('leave drift of recorded scores to the verdict', () => {
    const { data } = metric({ canary: { score: { state: 'ok', bounds: [1], counts: [5, 5] } } });
    expect(data['drift']).to.equal(null);
    expect(data['states']).to.include({ drift: 'over_window' });
  });
});
