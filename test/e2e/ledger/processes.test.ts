import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { StoredEvent } from '../../../src/lib/ledger/events.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { verifyDatabase } from '../../../src/lib/ledger/verify/database.js';
import { withFolder } from '../../lib/ledger/examples.js';

const CHILD = fileURLToPath(new URL('./append-child.ts', import.meta.url));

/** A process that appends; `acknowledged` grows with what it prints, up to the last whole line. */
function appending(path: string, subject: string, count: number) {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, path, subject, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk;
  });
  const acknowledged = () =>
    printed
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(' ').map(Number) as [number, number]);
  return { child, acknowledged };
}

async function ended(child: ChildProcess): Promise<number | NodeJS.Signals> {
  const [code, signal] = await once(child, 'close');
  return code ?? signal;
}

async function readLog(path: string): Promise<StoredEvent[]> {
  const ledger = await openLedger(path);
  const events = await ledger.events();
  await ledger.close();
  return events;
}

const indexOf = (event: StoredEvent | undefined) => event?.kind === 'hook.finished' && event.data.index;

describe('ledger across processes', () => {
  it('takes the entries of two processes that append at once', async () => {
    await withFolder(async (path) => {
      const writers = ['a', 'b'].map((subject) => ({ subject, ...appending(path, subject, 150) }));
      expect(await Promise.all(writers.map(({ child }) => ended(child)))).to.deep.equal([0, 0]);
      const events = await readLog(path);
      expect(events).to.have.length(300);
      for (const { subject, acknowledged } of writers) {
        const own = events.filter((e) => e.subject === subject);
        expect(acknowledged()).to.deep.equal(own.map((e, i) => [e.seq, i]));
      }
      expect(await verifyDatabase(path)).to.deep.include({ ok: true, size: 300 });
    });
  });

  it('keeps every acknowledged entry of a process that is killed, and verifies', async () => {
    await withFolder(async (path) => {
      for (let round = 0; round < 3; round++) {
        const { child, acknowledged } = appending(path, `round${round}`, 1_000_000);
        const closed = ended(child);
        while (acknowledged().length < 20 + 17 * round) await new Promise((resolve) => setTimeout(resolve, 2));
        child.kill('SIGKILL');
        expect(await closed).to.equal('SIGKILL');
        const report = await verifyDatabase(path);
        expect(report.problems).to.deep.equal([]);
        const events = await readLog(path);
        for (const [seq, index] of acknowledged()) {
          expect(events[seq]?.subject).to.equal(`round${round}`);
          expect(indexOf(events[seq])).to.equal(index);
        }
      }
    });
  });
});
