import { startHttpServer } from '../src/daemon/http/server.js';
import { SseHub } from '../src/daemon/sse/hub.js';
import { systemClock } from '../src/lib/clock.js';
import { LogFollower } from '../src/lib/ledger/follower.js';
import type { FeedItem, FeedPosition, Ledger } from '../src/lib/ledger/ledger.js';
import type { FeedSource } from '../src/lib/stream/teller.js';

/**
 * `sse-server RATE SECONDS`: the daemon's event streams over a log in memory. Prints its port; begins to append at a line
 * on stdin. Each event is stamped with the time at which it was due, so that being late counts.
 */
const [rate = 0, seconds = 0] = process.argv.slice(2).map(Number);
const items: FeedItem[] = [];
let tell: () => void = () => undefined;

const source: FeedSource & Pick<Ledger, 'onCommit' | 'dataVersion'> = {
  feed: ({ row }: FeedPosition, limit: number) => Promise.resolve(items.slice(row - 1, row - 1 + limit)),
  feedEnd: () => Promise.resolve({ seq: 0, row: items.length + 1 }),
  events: () => Promise.resolve([]),
  findSubjects: () => Promise.resolve([]),
  size: () => Promise.resolve(0),
  root: (size = 0) => Promise.resolve({ size, root: Buffer.alloc(32) }),
  dataVersion: () => Promise.resolve(1),
  onCommit(listener) {
    tell = listener;
    return () => undefined;
  },
};

function append(dueUs: number): void {
  const row = items.length + 1;
  const t = Date.now();
  const canary = { errors: { state: 'ok', bad: 1, total: 250 } } as const;
  items.push({
    type: 'observation',
    canaryId: `b-${items.length}-${dueUs}-`,
    observation: { v: 1, tick: row, t, from: t - 5000, canary },
    position: { seq: 0, row: row + 1 },
  });
}

function publish(): void {
  const start = Number(process.hrtime.bigint() / 1000n);
  const total = rate * seconds;
  const timer = setInterval(() => {
    const before = items.length;
    for (;;) {
      const due = start + Math.round((items.length * 1e6) / rate);
      if (items.length === total || due > Number(process.hrtime.bigint() / 1000n)) break;
      append(due);
    }
    if (items.length > before) tell();
    if (items.length === total) clearInterval(timer);
  }, 1);
}

const clock = systemClock();
const follower = new LogFollower(source, clock);
const hub = new SseHub({ ledger: source, follower, clock, onError: console.error });
await hub.start();
const server = await startHttpServer({ routes: [hub.route], host: '127.0.0.1', port: 0, onError: console.error });
process.stdin.once('data', publish);
process.stdin.once('end', () => process.exit());
console.log(server.port);
