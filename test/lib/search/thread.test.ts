import { expect } from 'chai';
import { openTestApp } from '../../daemon/mcp/place.js';
import { TS } from '../ledger/examples.js';

/** More than is indexed in the thread that asks. */
const ENTRIES = 5000;
const BY = { who: 'root', how: 'os-user' } as const;

describe('the index of a long log', () => {
  it('is made in a thread of its own, and then found in', async () => {
    const { app, remove } = await openTestApp();
    try {
      const asked = { taskId: 'probe', configId: null, dryRun: false, command: null, timeoutSeconds: 60 };
      await app.ledger.commit({
        events: Array.from({ length: ENTRIES }, (_, i) => ({
          kind: 'job.queued',
          subject: `j-example${i}`,
          ts: TS,
          data: { ...asked, requestedBy: BY },
        })),
      });
      const [own, all] = [process.threadCpuUsage(), process.cpuUsage()];
      await app.search.catchUp();
      const [ownNow, allNow] = [process.threadCpuUsage(own), process.cpuUsage(all)];
      expect(ownNow.user + ownNow.system).to.be.below((allNow.user + allNow.system) / 2);
      expect((await app.ledger.documents.state()).seq).to.equal(ENTRIES);
      const [hit] = await app.search.search({ query: `j-example${ENTRIES - 1}`, limit: 1 });
      expect(hit?.id).to.equal(`job:j-example${ENTRIES - 1}`);
    } finally {
      await remove();
    }
  });

  it('is left where it is when the thread is stopped, and made further later', async () => {
    const { app, remove } = await openTestApp();
    try {
      const data = { by: BY, from: null, to: null, reason: 'error', message: 'example' } as const;
      const event = { kind: 'evidence.failed', subject: 'evidence', ts: TS, data } as const;
      await app.ledger.commit({ events: Array.from({ length: ENTRIES }, () => event) });
      const reason = new Error('stop');
      const stop = new AbortController();
      const stopped = app.search.catchUp(stop.signal).then(
        () => 'done',
        (error: unknown) => error,
      );
      setImmediate(() => stop.abort(reason));
      expect(await stopped).to.be.oneOf([reason, 'done']);
      await app.search.catchUp();
      expect((await app.ledger.documents.state()).seq).to.equal(ENTRIES);
    } finally {
      await remove();
    }
  });
});
