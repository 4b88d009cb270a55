import { createHash } from 'node:crypto';
import { expect } from 'chai';
import type { Observation } from '../../../src/lib/judge/observation.js';
import { canaryView } from '../../../src/lib/view/canary.js';
import { BAD, drive, driver, FakeClock, HEALTHY, scripted, start } from '../../lib/canary/harness.js';
import { policy } from '../../lib/judge/looks.js';
import { type Served, serve } from './daemon.js';

describe('what the page asks the daemon', () => {
  let at: Served;
  /** A canary that was rolled back before the daemon began. */
  let id: string;
  before(async () => {
    at = await serve({
      before: async (app) => {
        const clock = new FakeClock();
        const rules = policy({ windowSeconds: 600, intervalSeconds: 1, targets: { max_error_rate: 0.02 } });
        id = (await start(app.ledger, clock, { policy: rules })).id;
        const source = scripted(clock, (look) => (look < 300 ? HEALTHY : BAD));
        await drive({ ...driver({ ledger: app.ledger, clock, source }), clock }, id);
      },
    });
  });
  after(() => at.stop());

  const get = async (path: string) => {
    const response = await fetch(`${at.url}/api/${path}`);
    return { status: response.status, text: await response.text() };
  };
  const json = async (path: string) => JSON.parse((await get(path)).text);

  it('is enough to show and to judge a canary again, and the digest of what was judged can be checked', async () => {
    const record = await json(`canary?id=${id.slice(0, 8)}`);
    expect(record.id).to.equal(id);
    const lines: string[] = [];
    for (let after = -1; ; ) {
      const { text } = await get(`observations?id=${id}&after=${after}`);
      const page = text.split('\n').filter((line) => line !== '');
      if (page.length === 0) break;
      lines.push(...page);
      after = JSON.parse(page.at(-1)!).tick;
    }
    const digest = createHash('sha256')
      .update(`${lines.join('\n')}\n`)
      .digest('hex');
    const observations = lines.map((line) => JSON.parse(line) as Observation);
    const view = canaryView({ ...record, observations, digest })!;
    expect(view.row.state).to.equal('ROLLED_BACK');
    expect(view.intact).to.equal(true);
    const [row] = (await json('overview')).canaries;
    expect(row).to.deep.include({ id, state: 'ROLLED_BACK', reason: 'evidence_against', glance: view.row.glance });
  });

  it('is answered as of a place from which the stream goes on', async () => {
    const { position } = await json('overview');
    const response = await fetch(`${at.url}/sse?topic=canary/*`, { headers: { 'Last-Event-ID': position } });
    const reader = response.body!.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    expect(Buffer.from(value!).toString()).to.include('"resumed":true');
  });

  it('refuses what it does not understand, with what is wrong', async () => {
    for (const [path, status, words] of [
      ['canary', 400, 'id is required'],
      ['canary?id=a&id=b', 400, 'exactly once'],
      ['canary?id=c-unknown', 404, 'c-unknown'],
      ['observations?id=c-unknown&after=x', 400, 'after must be a check number'],
      ['observations?id=c-unknown&after=-1', 404, 'c-unknown'],
      ['canary?id=a&more=1', 400, 'more'],
    ] as const) {
      const answer = await get(path);
      expect([path, answer.status]).to.deep.equal([path, status]);
      expect(answer.text).to.include(words);
    }
  });
});
