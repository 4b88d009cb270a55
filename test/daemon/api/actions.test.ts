import { expect } from 'chai';
import { DEFAULT_SIGNALS } from '../../../src/lib/metrics/signals/defaults.js';
import type { SourceDescriptor } from '../../../src/lib/metrics/source.js';
import { FakeClock, start } from '../../lib/canary/harness.js';
import { policy } from '../../lib/judge/looks.js';
import { type Served, serve } from './daemon.js';

describe('what a person decides in the cockpit', () => {
  const rules = policy({ windowSeconds: 600, intervalSeconds: 5, targets: { max_error_rate: 0.02 } });
  /** Nothing answers there: the canary stays open until its data is missed for too long. */
  const source: SourceDescriptor = {
    kind: 'scrape',
    canaryUrls: ['http://127.0.0.1:1/metrics'],
    baselineUrls: null,
    arms: { canary: '{}', baseline: '{}' },
    signals: { ...DEFAULT_SIGNALS, drift: null, inflight: null },
    timeoutMs: 4000,
  };
  const begun = async (readOnly = false): Promise<Served & { id: string }> => {
    let id = '';
    const before = async (app: Served['app']) => {
      id = (await start(app.ledger, new FakeClock(Date.now()), { policy: rules, source })).id;
    };
    const at = await serve({ readOnly, before });
    return { ...at, id };
  };
  const post = async (at: Served, verb: string, body: unknown) => {
    const headers = { 'Content-Type': 'application/json' };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(`${at.url}/api/canary/${verb}`, { method: 'POST', headers, body: text });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('is done once, with the reason in the log', async () => {
    const at = await begun();
    try {
      const answer = await post(at, 'abort', { id: at.id, reason: 'wrong build' });
      expect(answer).to.deep.equal({ status: 200, body: { canaryId: at.id, status: 'ABORTED' } });
      const events = await at.app.ledger.events({ subject: at.id, kinds: ['canary.aborted'] });
      expect(events.map(({ data }) => data)).to.deep.equal([
        { by: { who: '127.0.0.1', how: 'loopback' }, reason: 'wrong build' },
      ]);
      const again = await post(at, 'abort', { id: at.id, reason: 'again' });
      expect(again.status).to.equal(409);
      expect(again.body).to.have.property('reason', 'ILLEGAL_TRANSITION');
      expect(again.body).to.have.deep.property('suggestions', [`Check its state: lukhas canary status ${at.id}`]);
    } finally {
      await at.stop();
    }
  });

  it('needs a reason and a canary, and says what is wrong', async () => {
    const at = await begun();
    try {
      for (const [verb, body, status, words] of [
        ['abort', { id: at.id }, 400, 'reason'],
        ['abort', { id: at.id, reason: '  ' }, 400, 'reason: is empty'],
        ['abort', { id: at.id, reason: 'r', more: 1 }, 400, 'more'],
        ['abort', 'no json', 400, 'not valid JSON'],
        ['abort', { id: 'c-unknown', reason: 'r' }, 404, 'c-unknown'],
        ['promote', { id: at.id, reason: 'r' }, 409, 'cannot be'],
        ['approve', { id: at.id, reason: 'r' }, 409, 'cannot be'],
      ] as const) {
        const answer = await post(at, verb, body);
        expect([verb, answer.status]).to.deep.equal([verb, status]);
        expect(JSON.stringify(answer.body)).to.include(words);
      }
    } finally {
      await at.stop();
    }
  });

  it('is refused where the daemon changes nothing', async () => {
    const at = await begun(true);
    try {
      expect((await post(at, 'abort', { id: at.id, reason: 'r' })).status).to.equal(403);
    } finally {
      await at.stop();
    }
  });
});
