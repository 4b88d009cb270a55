import { expect } from 'chai';
import type { FeedItem } from '../../../src/lib/ledger/ledger.js';
import { observation } from '../../lib/ledger/examples.js';
import { type Log, withDaemon } from './daemon.js';

/** A log in memory whose events are as long as wanted, so that a client falls behind soon. */
class Memory implements Log {
  readonly #items: FeedItem[] = [];
  #listener: () => void = () => undefined;

  constructor(readonly bytes: number) {}

  append(count: number): void {
    for (let i = 0; i < count; i++) {
      const row = this.#items.length + 1;
      const canaryId = `c${String(row).padEnd(this.bytes, '.')}`;
      this.#items.push({
        type: 'observation',
        canaryId,
        observation: observation(row),
        position: { seq: 0, row: row + 1 },
      });
    }
    this.#listener();
  }

  async feed({ row }: { row: number }, limit: number): Promise<FeedItem[]> {
    return this.#items.slice(Math.max(0, row - 1), Math.max(0, row - 1) + limit);
  }

  async feedEnd(): Promise<{ seq: number; row: number }> {
    return { seq: 0, row: this.#items.length + 1 };
  }

  onCommit(listener: () => void): () => void {
    this.#listener = listener;
    return () => undefined;
  }

  async dataVersion(): Promise<number> {
    return 1;
  }

  async events(): Promise<never[]> {
    return [];
  }

  async findSubjects(): Promise<never[]> {
    return [];
  }

  async size(): Promise<number> {
    return 0;
  }

  async root(): Promise<never> {
    throw new Error('no entry has been appended');
  }
}

const ROUNDS = 1500;
const EACH = 4;

describe('a client that never reads', () => {
  it('is cut off and counted, costs little memory, and the others miss nothing', async () => {
    const memory = new Memory(4000);
    await withDaemon(
      memory,
      async (daemon) => {
        const deaf = await Promise.all(
          Array.from({ length: 10 }, () => daemon.open('?topic=metrics', { deaf: true }).count(1)),
        );
        const reader = await daemon.follow('metrics');
        const other = await daemon.follow('canary/*');
        const before = process.memoryUsage().rss;
        let most = 0;
        for (let round = 1; round <= ROUNDS; round++) {
          memory.append(EACH);
          await reader.until(() => Number(reader.ids.at(-1)?.slice(2)) === round * EACH + 1);
          // What the test itself keeps would be most of it.
          if (round % 100 === 0) reader.events.splice(0, reader.events.length - 1);
          if (round % 100 === 0) other.events.splice(0, other.events.length - 1);
          most = Math.max(most, process.memoryUsage().rss - before);
        }
        await other.until(() => Number(other.ids.at(-1)?.slice(2)) === ROUNDS * EACH + 1);
        for (const stream of deaf) {
          stream.listen();
          await stream.end();
        }
        expect(daemon.hub.stats()).to.include({ dropped: 10, clients: 2 });
        expect(daemon.hub.stats().ringEvents).to.be.at.most(512);
        // 24 MB went by; held are the ring (2 MB), a write a client, and what this process's readers parse.
        // Kept for each of them, it would be ten times that.
        expect(most / 1e6).to.be.lessThan(200);

        const last = deaf[0]!.ids.at(-1)!;
        const back = daemon.open('?topic=metrics', { headers: { 'Last-Event-ID': last } });
        const missed = ROUNDS * EACH + 1 - Number(last.slice(2));
        await back.count(missed + 1);
        const expected = Array.from({ length: missed }, (_, i) => `0.${Number(last.slice(2)) + 1 + i}`);
        expect(back.ids.slice(1)).to.deep.equal(expected);
      },
      { lag: 256, ringEvents: 512 },
    );
  });

  it('is cut off also when little is told, after some heartbeats', async () => {
    const memory = new Memory(4000);
    await withDaemon(
      memory,
      async (daemon) => {
        const live = await daemon.open('?topic=metrics', { deaf: true }).count(1);
        memory.append(2500);
        const late = await daemon.open('?topic=metrics&lastEventId=0.0', { deaf: true }).count(1);
        for (const stream of [live, late]) {
          while (daemon.hub.stats().clients > 0) await new Promise((resolve) => setTimeout(resolve, 5));
          stream.listen();
          await stream.end();
        }
        expect(daemon.hub.stats().dropped).to.equal(2);
      },
      { heartbeatMs: 30, stalledBeats: 4 },
    );
  });
});
