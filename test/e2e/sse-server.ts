import { setTimeout as wait } from 'node:timers/promises';
import { startHttpServer } from '../../src/daemon/http/server.js';
import { SseHub } from '../../src/daemon/sse/hub.js';
import { systemClock } from '../../src/lib/clock.js';
import { LogFollower } from '../../src/lib/ledger/follower.js';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';
import { draft } from '../daemon/sse/daemon.js';

/** `serve PATH PORT`: event streams of this ledger; prints the port. `append PATH COUNT EVERY_MS`: commits to it. */
const [role, path = '', first = '', second = ''] = process.argv.slice(2);
const ledger = await openLedger(path);
if (role === 'serve') await serve(Number(first));
else await append(Number(first), Number(second));

async function serve(port: number): Promise<void> {
  const clock = systemClock();
  const hub = new SseHub({ ledger, follower: new LogFollower(ledger, clock), clock, onError: console.error });
  await hub.start();
  const server = await startHttpServer({ routes: [hub.route], host: '127.0.0.1', port, onError: console.error });
  console.log(server.port);
}

async function append(count: number, everyMs: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await ledger.commit({ events: [draft('canary.held', 'c1')] });
    await wait(everyMs);
  }
  await ledger.commit({ events: [draft('canary.decided', 'c1')] });
  await ledger.close();
}
