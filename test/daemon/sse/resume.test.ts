import { expect } from 'chai';
import fc from 'fast-check';
import type { SseLimits } from '../../../src/daemon/sse/hub.js';
import type { Ledger } from '../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { cases } from '../../cases.js';
import { withFolder } from '../../lib/ledger/examples.js';
import { Daemon, draft, happened, idsIn, looked, withDaemon } from './daemon.js';
import type { Stream } from './stream.js';

const TOPICS = ['jobs', 'canaries', 'metrics', 'job/*', 'canary/*', 'canary/c1', 'canary/c2', 'job/j1'];
const SUBJECTS = ['c1', 'c2', 'c3', 'j1', 'j2'];

/** `write`: so many commits; `cut`: this client loses its connection; `restart`: the daemon and its database do. */
const STEP = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('write' as const), count: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('cut' as const), client: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('pause' as const) }) },
);
const CLIENT = fc.subarray(TOPICS, { minLength: 1 });
/** A ring so small that most who come back have to read the database. */
const SMALL: Partial<SseLimits> = { ringEvents: 16, writeBytes: 700 };

class Follower {
  readonly ids: string[] = [];
  #stream: Stream | null = null;

  constructor(readonly topics: readonly string[]) {}

  /** Goes on after the last event it was given. */
  async connect(daemon: Daemon): Promise<void> {
    await this.cut();
    const last = this.ids.at(-1);
    const headers = last === undefined ? {} : { 'Last-Event-ID': last };
    const query = this.topics.map((topic) => `topic=${topic}`).join('&');
    this.#stream = daemon.open(`?${query}`, { headers });
    await this.#stream.count(1);
    if (last === undefined) this.ids.push(this.#stream.ids[0]!);
  }

  async cut(): Promise<void> {
    const stream = this.#stream;
    this.#stream = null;
    if (stream === null) return;
    await stream.reset();
    this.ids.push(...stream.ids.slice(1));
  }

  async reach(id: string | undefined): Promise<void> {
    const stream = this.#stream!;
    await stream.until(() => id === undefined || this.ids.includes(id) || stream.ids.includes(id));
  }
}

async function write(ledger: Ledger, made: number): Promise<void> {
  const subject = SUBJECTS[made % SUBJECTS.length]!;
  const kind = subject.startsWith('j') ? 'job.running' : 'canary.held';
  if (made % 3 === 0 && subject.startsWith('c')) await looked(ledger, subject, made);
  else await ledger.commit({ events: [draft(kind, subject), draft('gate.changed', 'gate:prod')] });
}

describe('a client that comes back', () => {
  it('has every event of its topics exactly once, in order, wherever it was cut off', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(STEP, { minLength: 5, maxLength: 25 }),
        fc.array(CLIENT, { minLength: 1, maxLength: 4 }),
        (steps, topics) =>
          withFolder(async (path) => {
            let ledger = await openLedger(path);
            for (const id of SUBJECTS)
              await happened(ledger, id, id.startsWith('j') ? 'job.queued' : 'canary.requested');
            let daemon = await Daemon.start(ledger, SMALL);
            const followers = topics.map((list) => new Follower(list));
            for (const follower of followers) await follower.connect(daemon);
            let made = 0;
            for (const step of steps) {
              if (step.type === 'write') for (let i = 0; i < step.count; i++) await write(ledger, made++);
              else if (step.type === 'cut')
                await followers[step.client]?.cut().then(() => followers[step.client]?.connect(daemon));
              else if (step.type === 'pause') await new Promise((resolve) => setTimeout(resolve, 3));
              else {
                await daemon.stop();
                await ledger.close();
                ledger = await openLedger(path);
                daemon = await Daemon.start(ledger, SMALL);
                for (const follower of followers) await follower.connect(daemon);
              }
            }
            for (const follower of followers) {
              const begun = follower.ids[0]!;
              const expected = (await idsIn(ledger, follower.topics)).filter((id) => isAfter(id, begun));
              await follower.reach(expected.at(-1));
              await follower.cut();
              expect(follower.ids.slice(1)).to.deep.equal(expected);
            }
            expect(daemon.errors).to.deep.equal([]);
            await daemon.stop();
            await ledger.close();
          }),
      ),
      { numRuns: cases(25, 6) },
    );
  });

  it('reads a long past from the database at its own pace, then goes on live', async () => {
    await withFolder(async (path) => {
      const ledger = await openLedger(path);
      await happened(ledger, 'c1', 'canary.requested');
      const commits: Promise<unknown>[] = [];
      for (let i = 0; i < 5000; i++)
        commits.push(i % 4 ? looked(ledger, i % 8 ? 'c1' : 'c2', i) : happened(ledger, 'c1', 'canary.held'));
      await Promise.all(commits);
      await withDaemon(ledger, async (daemon) => {
        const deaf = daemon.open('?topic=canary/c1', { deaf: true });
        const stream = daemon.open('?topic=canary/*&topic=metrics&lastEventId=0.0');
        await happened(ledger, 'c1', 'canary.decided');
        await stream.until(() => stream.names.includes('blocked'));
        expect(stream.ids.slice(1)).to.deep.equal(await idsIn(ledger, ['canary/*']));
        deaf.listen();
        await deaf.until(() => deaf.names.includes('blocked'));
        expect(deaf.ids.slice(1)).to.deep.equal(await idsIn(ledger, ['canary/c1']));
        expect(daemon.hub.stats()).to.include({ dropped: 0, catchingUp: 0 });
      });
      await ledger.close();
    });
  });

  it('just after a restart is served from memory, with the same ids', async () => {
    await withFolder(async (path) => {
      const ledger = await openLedger(path);
      await happened(ledger, 'c1', 'canary.requested');
      for (let tick = 0; tick < 30; tick++) {
        await looked(ledger, 'c1', tick);
        if (tick % 7 === 3) await happened(ledger, 'c1', 'canary.held');
      }
      const ids = await idsIn(ledger, ['canary/*']);
      await withDaemon(
        ledger,
        async (daemon) => {
          expect(daemon.hub.stats().ringEvents).to.be.within(5, 20);
          for (const [i, id] of ids.entries()) {
            const stream = await daemon.open(`?topic=canary/*&lastEventId=${id}`).count(ids.length - i);
            expect(stream.ids.slice(1)).to.deep.equal(ids.slice(i + 1));
            await stream.reset();
          }
        },
        { ringEvents: 80 },
      );
      await ledger.close();
    });
  });
});

function isAfter(id: string, begun: string): boolean {
  const [seq = 0, row = 0] = id.split('.').map(Number);
  const [fromSeq = 0, fromRow = 0] = begun.split('.').map(Number);
  return seq + row > fromSeq + fromRow;
}
