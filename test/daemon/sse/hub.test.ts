import { expect } from 'chai';
import type { SseLimits } from '../../../src/daemon/sse/hub.js';
import type { Ledger } from '../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { withFolder } from '../../lib/ledger/examples.js';
import { type Daemon, draft, happened, idsIn, looked, withDaemon } from './daemon.js';

/** Runs `test` with a new ledger and a daemon over it. */
function streaming(
  test: (daemon: Daemon, ledger: Ledger) => Promise<void>,
  limits: Partial<SseLimits> = {},
): () => Promise<void> {
  return () =>
    withFolder(async (path) => {
      const ledger = await openLedger(path);
      try {
        await withDaemon(ledger, (daemon) => test(daemon, ledger), limits);
      } finally {
        await ledger.close();
      }
    });
}

/** With a head, by which beginnings of ids are looked up. */
async function requested(ledger: Ledger, subject: string): Promise<void> {
  const head = { subject, type: 'canary', state: 'PENDING', modelId: 'm', open: true, data: {} } as const;
  await ledger.commit({ events: [draft('canary.requested', subject)], summaries: [head] });
}

describe('an event stream', () => {
  it(
    'begins with an open event that says where it stands',
    streaming(async (daemon, ledger) => {
      await happened(ledger, 'c1', 'canary.requested');
      const stream = await daemon.follow('metrics', 'canaries', 'canaries');
      expect(stream.events[0]?.name).to.equal('open');
      expect(stream.events[0]?.data['topics']).to.deep.equal(['canaries', 'metrics']);
      expect(stream.ids[0]).to.match(/^1\.1\.[0-9a-f]{8}$/);
      expect(stream.events[0]?.data['position']).to.equal(stream.ids[0]);
      expect(Date.parse(String(stream.events[0]?.data['ts']))).to.be.closeTo(Date.now(), 2000);
    }),
  );

  it(
    'is not chunked, cached or buffered by a proxy',
    streaming(async (daemon) => {
      const { head } = await daemon.follow('jobs');
      expect(head).to.match(/^HTTP\/1\.1 200 OK\r\n/);
      expect(head).to.match(/^Content-Type: text\/event-stream$/im);
      expect(head).to.match(/^Connection: close$/im);
      expect(head).to.match(/^Cache-Control: no-store$/im);
      expect(head).to.match(/^X-Accel-Buffering: no$/im);
      expect(head).not.to.match(/transfer-encoding|content-length/i);
    }),
  );

  it(
    'tells what is committed from then on, in order, each with an id',
    streaming(async (daemon, ledger) => {
      await happened(ledger, 'old', 'canary.requested', 'canary.started');
      const [canaries, metrics, jobs, everything] = await Promise.all([
        daemon.follow('canaries'),
        daemon.follow('metrics'),
        daemon.follow('jobs'),
        daemon.follow('canary/*', 'job/*'),
      ]);
      await happened(ledger, 'c1', 'canary.requested', 'canary.started');
      await looked(ledger, 'c1', 0);
      await happened(ledger, 'j1', 'job.queued', 'job.running', 'job.completed');
      await happened(ledger, 'c1', 'canary.decided');
      expect((await canaries.count(4)).names).to.deep.equal(['open', 'requested', 'started', 'blocked']);
      expect(canaries.ids.slice(1)).to.deep.equal((await idsIn(ledger, ['canaries'])).slice(2));
      expect((await metrics.count(2)).names).to.deep.equal(['open', 'metric']);
      expect((await jobs.count(4)).names).to.deep.equal(['open', 'queued', 'running', 'completed']);
      const all = ['open', 'requested', 'started', 'metric', 'queued', 'running', 'completed', 'blocked'];
      expect((await everything.count(8)).names).to.deep.equal(all);
    }),
  );

  it(
    'of one canary tells all that was and is of it, and of no other, not even one whose id begins alike',
    streaming(async (daemon, ledger) => {
      await happened(ledger, 'c2', 'canary.requested');
      await looked(ledger, 'c2', 0);
      await happened(ledger, 'c1', 'canary.requested', 'canary.started');
      await looked(ledger, 'c1', 0);
      await happened(ledger, 'c10', 'canary.requested', 'canary.started');
      const stream = await daemon.follow('canary/c1');
      await stream.count(4);
      await looked(ledger, 'c10', 0);
      await looked(ledger, 'c1', 1);
      await happened(ledger, 'c1', 'canary.decided');
      await stream.count(6);
      expect(stream.names).to.deep.equal(['open', 'requested', 'started', 'metric', 'metric', 'blocked']);
      expect(stream.ids.slice(1)).to.deep.equal(await idsIn(ledger, ['canary/c1']));
    }),
  );

  it(
    'of a canary or job that has ended tells how it went, and what is added later',
    streaming(async (daemon, ledger) => {
      await happened(ledger, 'j1', 'job.queued', 'job.running');
      await happened(ledger, 'c1', 'canary.requested', 'canary.started', 'canary.decided');
      await happened(ledger, 'j1', 'job.completed');
      await happened(ledger, 'c3', 'canary.requested');
      const job = await daemon.follow('job/j1');
      expect((await job.count(4)).names).to.deep.equal(['open', 'queued', 'running', 'completed']);
      const canary = await daemon.follow('canary/c1');
      expect((await canary.count(4)).names).to.deep.equal(['open', 'requested', 'started', 'blocked']);
      await happened(ledger, 'c1', 'canary.overridden');
      expect((await canary.count(5)).names.at(-1)).to.equal('promoted');
    }),
  );

  it(
    'of a canary that nobody knows waits for it',
    streaming(async (daemon, ledger) => {
      const stream = await daemon.follow('canary/c9');
      await happened(ledger, 'c9', 'canary.requested');
      expect((await stream.count(2)).names).to.deep.equal(['open', 'requested']);
    }),
  );

  it(
    'tells each client another time to wait before it comes back, 250 to 1000 ms',
    streaming(async (daemon) => {
      const streams = await Promise.all(Array.from({ length: 20 }, () => daemon.follow('jobs')));
      const retries = streams.flatMap((stream) => stream.retries);
      expect(retries).to.have.length(20);
      for (const retry of retries) expect(retry).to.be.within(250, 1000);
      expect(new Set(retries).size).to.be.greaterThan(10);
    }),
  );

  it(
    'is kept alive by comments while nothing happens',
    streaming(
      async (daemon) => {
        const stream = await daemon.follow('jobs');
        await stream.until(() => stream.comments.length >= 3);
        expect(stream.names).to.deep.equal(['open']);
      },
      { heartbeatMs: 20 },
    ),
  );

  it(
    'ends with a time to come back when the daemon stops',
    streaming(async (daemon) => {
      const streams = [await daemon.follow('jobs'), await daemon.follow('canary/*')];
      await daemon.hub.stop();
      for (const stream of streams) {
        await stream.end();
        expect(stream.comments.at(-1)).to.match(/server stopping/);
        expect(stream.retries.at(-1)).to.be.within(250, 1000);
      }
      const late = await daemon.open('?topic=jobs').until(() => true);
      await late.until(() => late.body.includes('}'));
      expect(late.status).to.equal(503);
      expect(daemon.hub.stats().clients).to.equal(0);
    }),
  );
});

describe('a request for an event stream', () => {
  const refused: Record<string, RegExp> = {
    '': /topic is required.*canary\/ID/,
    '?topic=': /topics: jobs, canaries, metrics, gates, job\/ID, canary\/ID, gate\/NAME, job\/\*, canary\/\*, gate\/\*/,
    '?topic=canary/': /topics: jobs/,
    '?topic=canary': /topics: jobs/,
    '?topic=jobs&topic=nonsense': /unknown topic \\"nonsense\\"/,
    '?topic=jobs%0A': /unknown topic/,
    '?topic=gate/a%20b': /unknown topic/,
    [`?${Array.from({ length: 33 }, (_, i) => `topic=job/${i}`).join('&')}`]: /too many topics: 33, at most 32/,
    '?topic=jobs&lastEventId=12': /Last-Event-ID .*12.* is not a valid id/,
    '?topic=jobs&lastEventId=1.2.3': /is not a valid id/,
    '?topic=jobs&lastEventId=1.2.0123456g': /is not a valid id/,
    '?topic=jobs&lastEventId=-1.0': /is not a valid id/,
    '?topic=jobs&lastEventId=9999999999999999.1': /is not a valid id/,
  };
  for (const [query, message] of Object.entries(refused)) {
    it(
      `is refused: /sse${query.slice(0, 40)}`,
      streaming(async (daemon) => {
        const stream = daemon.open(query);
        await stream.until(() => stream.body.includes('}}'));
        expect(stream.status).to.equal(400);
        expect(stream.body).to.match(message);
        expect(daemon.hub.stats().clients).to.equal(0);
      }),
    );
  }

  it(
    'may be a HEAD, which is answered and over',
    streaming(async (daemon) => {
      const stream = await daemon.open('?topic=jobs', { method: 'HEAD' }).end();
      expect(stream.status).to.equal(200);
      expect(stream.head).to.match(/content-type: text\/event-stream/i);
      expect(stream.events).to.deep.equal([]);
    }),
  );

  it(
    'must not be a POST',
    streaming(async (daemon) => {
      const stream = daemon.open('?topic=jobs', { method: 'POST', headers: { 'Content-Length': '0' } });
      await stream.until(() => stream.body.includes('}}'));
      expect(stream.status).to.equal(405);
      expect(stream.head).to.match(/^Allow: GET, HEAD$/im);
    }),
  );

  it(
    'is refused for a while when there are too many, and let in when one has gone',
    streaming(
      async (daemon) => {
        const [first] = await Promise.all([daemon.follow('jobs'), daemon.follow('jobs')]);
        const third = daemon.open('?topic=jobs');
        await third.until(() => third.body.includes('}}'));
        expect(third.status).to.equal(503);
        expect(third.head).to.match(/^Retry-After: 5$/im);
        expect(daemon.hub.stats()).to.include({ clients: 2, refused: 1 });
        await first.reset();
        while (daemon.hub.stats().clients === 2) await new Promise((resolve) => setImmediate(resolve));
        expect((await daemon.follow('jobs')).names).to.deep.equal(['open']);
      },
      { clients: 2 },
    ),
  );

  it(
    'goes on after the id in its header, or else in its address',
    streaming(async (daemon, ledger) => {
      await happened(ledger, 'j1', 'job.queued', 'job.running', 'job.completed');
      const ids = await idsIn(ledger, ['jobs']);
      const address = await daemon.open(`?topic=jobs&lastEventId=${ids[0]}`).count(3);
      expect(address.names).to.deep.equal(['open', 'running', 'completed']);
      expect(address.events[0]?.data['resumed']).to.equal(true);
      const headers = { 'Last-Event-ID': ids[1] as string };
      const header = await daemon.open(`?topic=jobs&lastEventId=${ids[0]}`, { headers }).count(2);
      expect(header.names).to.deep.equal(['open', 'completed']);
      expect(daemon.hub.stats().resumed).to.equal(2);
    }),
  );

  it('with an id of another log starts anew and says so, even where that log reaches further', async () => {
    await withFolder(async (one) =>
      withFolder(async (other) => {
        const [ours, theirs] = [await openLedger(one), await openLedger(other)];
        await happened(ours, 'c1', 'canary.requested', 'canary.started');
        await happened(theirs, 'c2', 'canary.requested', 'canary.started', 'canary.held', 'canary.held');
        const [id] = (await idsIn(ours, ['canaries'])).slice(-1);
        await withDaemon(theirs, async (daemon) => {
          const hopped = await daemon.open(`?topic=canaries&lastEventId=${id}`).count(1);
          expect(hopped.events[0]?.data['resumed']).to.equal(false);
          expect(hopped.ids[0]).to.match(/^4\.1\./);
          // Without the log it stands for a place in any: only the beginning is one.
          const nowhere = await daemon.open('?topic=canaries&lastEventId=2.1').count(1);
          expect(nowhere.events[0]?.data['resumed']).to.equal(false);
          const beginning = await daemon.open('?topic=canaries&lastEventId=0.1').count(5);
          expect(beginning.events[0]?.data['resumed']).to.equal(true);
          expect(daemon.hub.stats().resumed).to.equal(1);
        });
        await withDaemon(ours, async (daemon) => {
          const back = await daemon.open(`?topic=canaries&lastEventId=${id}`).count(1);
          expect(back.events[0]?.data['resumed']).to.equal(true);
        });
        await ours.close();
        await theirs.close();
      }),
    );
  });

  it('sent while the log was empty goes on from there, with ids that then name the log', async () => {
    await streaming(async (daemon, ledger) => {
      const first = await daemon.follow('canaries');
      expect(first.ids).to.deep.equal(['0.1']);
      await happened(ledger, 'c1', 'canary.requested');
      expect((await first.count(2)).ids).to.deep.equal(['0.1', ...(await idsIn(ledger, ['canaries']))]);
      const back = await daemon.open('?topic=canaries&lastEventId=0.1').count(2);
      expect(back.events[0]?.data['resumed']).to.equal(true);
      expect(back.ids[1]).to.match(/^1\.1\.[0-9a-f]{8}$/);
    })();
  });

  it(
    'may name a canary or job by the beginning of its id, where that is enough',
    streaming(async (daemon, ledger) => {
      for (const id of ['c-abcdef1', 'c-abcdeg2']) await requested(ledger, id);
      const stream = await daemon.follow('canary/c-abcdef').then((one) => one.count(2));
      expect(stream.names).to.deep.equal(['open', 'requested']);
      expect(stream.events[0]?.data).to.deep.include({ topics: ['canary/c-abcdef1'], known: true });
      const twice = await daemon.follow('canary/c-abcdef', 'canary/c-abcdef1');
      expect(twice.events[0]?.data).to.deep.include({ topics: ['canary/c-abcdef1'], known: true });
      await happened(ledger, 'c-abcdef1', 'canary.started');
      expect((await stream.count(3)).names[2]).to.equal('started');
      for (const topic of ['canary/c-abcde', 'canary/c-abcd', 'canary/c-nobody', 'job/c-abcdef1', 'gate/prod']) {
        const waits = await daemon.follow(topic);
        expect(waits.events[0]?.data, topic).to.deep.include({ topics: [topic], known: false });
      }
      const [both, none] = [await daemon.follow('canary/c-abcdef', 'job/j-nobody'), await daemon.follow('gates')];
      expect(both.events[0]?.data).to.deep.include({ topics: ['canary/c-abcdef1', 'job/j-nobody'], known: false });
      expect(none.events[0]?.data['known']).to.equal(null);
    }),
  );

  it(
    'may be for gates: who holds them, and promotions',
    streaming(async (daemon, ledger) => {
      const gates = await daemon.follow('gates');
      const [prod, stage] = [await daemon.follow('gate/prod'), await daemon.follow('gate/stage')];
      await happened(ledger, 'p1', 'promotion.requested');
      await happened(ledger, 'gate:prod', 'gate.changed');
      await happened(ledger, 'p1', 'promotion.finished');
      const names = ['open', 'promotion_requested', 'gate_changed', 'promotion_finished'];
      expect((await gates.count(4)).names).to.deep.equal(names);
      expect((await prod.count(4)).names).to.deep.equal(names);
      expect(gates.events[3]?.data).to.include({ promotionId: 'p1', modelId: 'm', gate: 'prod', ok: true });
      expect(stage.names).to.deep.equal(['open']);
      expect((await daemon.follow('gate/prod')).events[0]?.data['known']).to.equal(true);
      const back = await daemon.open(`?topic=gates&lastEventId=${gates.ids[1]}`).count(3);
      expect(back.names).to.deep.equal(['open', 'gate_changed', 'promotion_finished']);
    }),
  );

  it(
    'with an id that its log does not reach starts anew and says so',
    streaming(async (daemon, ledger) => {
      await happened(ledger, 'c1', 'canary.requested', 'canary.started');
      const id = (await idsIn(ledger, ['canaries']))[0]?.split('.')[2];
      const stream = await daemon.open(`?topic=canaries&lastEventId=4000.12.${id}`).count(1);
      expect(stream.events[0]?.data).to.include({ resumed: false });
      await happened(ledger, 'c1', 'canary.decided');
      expect((await stream.count(2)).names).to.deep.equal(['open', 'blocked']);
      const one = await daemon.open(`?topic=canary/c1&lastEventId=4000.12.${id}`).count(4);
      expect(one.names).to.deep.equal(['open', 'requested', 'started', 'blocked']);
      expect(one.events[0]?.data).to.include({ resumed: false });
    }),
  );

  it('sent behind a stream on the same connection ends both', async () => {
    await streaming(async (daemon) => {
      const path = '/sse?topic=jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /sse?topic=jobs';
      const stream = await daemon.open(path.slice('/sse'.length)).end();
      expect(stream.events.length).to.be.lessThan(3);
    })();
  });
});
