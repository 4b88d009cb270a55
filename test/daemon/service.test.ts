import { expect } from 'chai';
import { Service } from '../../src/daemon/service.js';
import type { WaitProgress } from '../../src/daemon/wait.js';
import type { App } from '../../src/lib/app/app.js';
import { Canaries } from '../../src/lib/canary/canaries.js';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';
import { ASKER, CANARY, openTestApp } from './mcp/place.js';

/** The longest that a caller may wait. */
const WAIT_SECONDS = 25;

describe('the service behind every surface', () => {
  let app: App;
  let service: Service;
  let remove: () => Promise<void>;
  let noticed: number;

  beforeEach(async () => {
    ({ app, remove } = await openTestApp());
    noticed = 0;
    service = new Service(app, {
      onStarted: () => {
        noticed++;
      },
    });
  });
  afterEach(async () => {
    service.close();
    await remove();
  });

  const start = async () => (await service.startCanary({ ...CANARY, dryRun: false }, ASKER)).canaryId;
  const timed = async <T>(work: Promise<T>): Promise<{ value: T; ms: number }> => {
    const began = performance.now();
    const value = await work;
    return { value, ms: performance.now() - began };
  };

  it('has the runner look as soon as a canary is started', async () => {
    await start();
    expect(noticed).to.equal(1);
  });

  it('records who asked', async () => {
    const { requestedBy } = await service.canaryStatus(await start());
    expect(requestedBy).to.deep.equal(ASKER);
  });

  it('answers a wait when the state changes', async () => {
    const id = await start();
    const waiting = timed(service.canaryStatus(id, { waitSeconds: WAIT_SECONDS }));
    await service.abortCanary(id, 'changed', ASKER);
    const { value, ms } = await waiting;
    expect(value.status).to.equal('ABORTED');
    expect(ms).to.be.below(WAIT_SECONDS * 1000);
  });

  it('answers a wait when another process changes the state', async () => {
    const id = await start();
    const waiting = timed(service.canaryStatus(id, { waitSeconds: WAIT_SECONDS }));
    const elsewhere = await openLedger(app.config.dbPath);
    try {
      await new Canaries(elsewhere, app.clock).abort(id, ASKER, 'from elsewhere');
      const { value, ms } = await waiting;
      expect(value.status).to.equal('ABORTED');
      expect(ms).to.be.below(WAIT_SECONDS * 1000);
    } finally {
      await elsewhere.close();
    }
  });

  it('answers a wait when its time is over, having told how it went', async () => {
    const id = await start();
    const told: WaitProgress[] = [];
    const { value, ms } = await timed(
      service.canaryStatus(id, { waitSeconds: 0.3, onProgress: (progress) => told.push(progress) }),
    );
    expect(value.status).to.equal('PENDING');
    expect(ms).to.be.above(290);
    expect(told.map(({ total }) => total)).to.deep.equal(told.map(() => 0.3));
    expect(told.map(({ elapsed }) => elapsed)).to.deep.equal(
      [...told].map(({ elapsed }) => elapsed).sort((a, b) => a - b),
    );
    expect(told[0]?.message).to.include(id);
  });

  it('does not wait for what is over, or for nobody', async () => {
    const id = await start();
    const gone = new AbortController();
    const waiting = timed(service.canaryStatus(id, { waitSeconds: WAIT_SECONDS, signal: gone.signal }));
    gone.abort();
    expect((await waiting).ms).to.be.below(WAIT_SECONDS * 1000);
    await service.abortCanary(id, 'over', ASKER);
    const { value, ms } = await timed(service.canaryStatus(id, { waitSeconds: WAIT_SECONDS }));
    expect(value.status).to.equal('ABORTED');
    expect(ms).to.be.below(WAIT_SECONDS * 1000);
  });

  it('answers everybody who waits when it closes', async () => {
    const ids = [await start(), await start()];
    const waiting = timed(Promise.all(ids.map((id) => service.canaryStatus(id, { waitSeconds: WAIT_SECONDS }))));
    service.close();
    const { value, ms } = await waiting;
    expect(value.map(({ status }) => status)).to.deep.equal(['PENDING', 'PENDING']);
    expect(ms).to.be.below(WAIT_SECONDS * 1000);
  });

  it('names entries of the log that begin so, the newest first', async () => {
    for (let n = 0; n < 13; n++) await start();
    expect(await service.entryNumbers('', 3)).to.deep.equal(['12', '11', '10']);
    expect(await service.entryNumbers('1', 10)).to.deep.equal(['12', '11', '10', '1']);
    expect(await service.entryNumbers('0', 10)).to.deep.equal(['0']);
    for (const prefix of ['x', '-1', '01', '1.', '99'])
      expect(await service.entryNumbers(prefix, 10)).to.deep.equal([]);
  });

  it('knows a policy by its digest, and by the beginning of it', async () => {
    const { policyDigest, policy } = await service.canaryStatus(await start());
    await start();
    expect(await service.policy(policyDigest)).to.deep.equal({ id: policyDigest, policy });
    const fresh = new Service(app);
    expect(await fresh.policy(policyDigest.slice(0, 8))).to.deep.equal({ id: policyDigest, policy });
    expect((await service.listPolicies(5)).map(({ id }) => id)).to.deep.equal([policyDigest]);
    for (const id of ['', 'abc', 'f'.repeat(64)])
      await service.policy(id).then(
        () => expect.fail(),
        ({ code }) => expect(code).to.equal('NOT_FOUND'),
      );
  });
});
