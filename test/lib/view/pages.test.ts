import { expect } from 'chai';
import type { StoredEvent } from '../../../src/lib/ledger/events.js';
import { entryRow } from '../../../src/lib/view/entry.js';
import { gateView } from '../../../src/lib/view/gate.js';
import { jobView } from '../../../src/lib/view/job.js';
import { EXAMPLES } from '../ledger/examples.js';

const ts = '2026-03-01T12:00:00Z';
const by = { who: 'ana', how: 'os-user' } as const;
const stored = (seq: number, kind: string, subject: string, data: unknown) =>
  ({ seq, v: 1, ts, kind, subject, data }) as unknown as StoredEvent;

describe('pages of entries, jobs and gates', () => {
  it('have words for every kind of entry', () => {
    for (const { kind, subject, data } of EXAMPLES) {
      const row = entryRow(stored(5, kind, subject, data));
      expect(row.what, kind).to.not.equal(kind).and.not.equal('');
    }
  });

  it('name an entry after its kind where a newer lukhas wrote it', () => {
    const row = entryRow(stored(5, 'canary.danced', 'c-1', {}));
    expect(row).to.deep.include({ what: 'canary.danced', page: null, lines: [] });
  });

  it('show a job with its output as recorded', () => {
    const queued = {
      taskId: 'eval',
      configId: null,
      dryRun: false,
      command: ['run'],
      timeoutSeconds: 60,
      requestedBy: by,
    };
    const output = { bytes: 9, tail: 'a\n  b\n', truncated: false };
    const view = jobView([
      stored(0, 'job.queued', 'j-1', queued),
      stored(1, 'job.running', 'j-1', { pid: 7, processStartedAt: null }),
      stored(2, 'job.completed', 'j-1', { durationMs: 1500, exitCode: 0, metrics: { f1: 0.9 }, output }),
    ])!;
    expect(view.job.state).to.equal('completed');
    expect(view.output).to.deep.equal(output);
    expect(view.metrics).to.deep.equal([['f1', '0.9']]);
    expect(view.duration).to.include('1500 ms');
    expect(jobView([])).to.equal(null);
  });

  it('show who holds a gate, and how each model came to', () => {
    const change = { gate: 'production', ts, previous: null };
    const view = gateView('production', [
      { ...change, seq: 1, modelId: 'a', canaryId: 'c-1', by: { who: 'lukhas', how: 'lukhas' } },
      { ...change, seq: 4, modelId: 'b', canaryId: null, by },
      { ...change, seq: 9, modelId: 'c', canaryId: null, by, promotion: { id: 'p-1', canaryId: 'c-2' } },
    ]);
    expect(view.holder?.modelId).to.equal('c');
    expect(view.changes.map(({ canaryId, by: who }) => [canaryId, who])).to.deep.equal([
      ['c-2', 'ana'],
      [null, 'ana'],
      ['c-1', null],
    ]);
    expect(view.changes.map(({ means }) => means)).to.deep.equal([
      'promoted by ana (operating-system account) on the evidence of canary c-2',
      'set by ana (operating-system account)',
      'through canary c-1',
    ]);
    expect(gateView('stage', []).holder).to.equal(null);
  });
});
