import Database from 'better-sqlite3';
import { expect } from 'chai';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { withFolder } from '../../lib/ledger/examples.js';
import { happened, type Log, withDaemon } from './daemon.js';

describe('an event stream over a shared database', () => {
  it('goes on when the database could not be read for a while, and loses nothing', async () => {
    await withFolder(async (path) => {
      const ledger = await openLedger(path);
      await happened(ledger, 'c1', 'canary.requested');
      let broken = false;
      const refuse = (): void => {
        if (broken) throw new Error('the disk is away');
      };
      const source: Log = {
        feed: async (after, limit) => {
          refuse();
          return ledger.feed(after, limit);
        },
        feedEnd: async () => {
          refuse();
          return ledger.feedEnd();
        },
        events: async (filter) => {
          refuse();
          return ledger.events(filter);
        },
        findSubjects: (...asked) => ledger.findSubjects(...asked),
        size: () => ledger.size(),
        root: (size) => ledger.root(size),
        onCommit: (listener) => ledger.onCommit(listener),
        dataVersion: () => ledger.dataVersion(),
      };
      await withDaemon(source, async (daemon) => {
        const stream = await daemon.follow('canaries');
        await happened(ledger, 'c1', 'canary.started');
        await stream.count(2);
        broken = true;
        await happened(ledger, 'c1', 'canary.held');
        const late = daemon.open(`?topic=canaries&lastEventId=${stream.ids[0]}`);
        while (daemon.hub.stats().errors < 3) await new Promise((resolve) => setTimeout(resolve, 5));
        broken = false;
        expect((await stream.count(3)).names).to.deep.equal(['open', 'started', 'held']);
        expect((await late.count(3)).names).to.deep.equal(['open', 'started', 'held']);
      });
      await ledger.close();
    });
  });

  it('is not held up by another process that writes for long', async () => {
    await withFolder(async (path) => {
      const ledger = await openLedger(path);
      await happened(ledger, 'c1', 'canary.requested');
      const other = new Database(path);
      await withDaemon(ledger, async (daemon) => {
        other.exec('BEGIN IMMEDIATE');
        const stream = await daemon.follow('canary/c1');
        expect((await stream.count(2)).names).to.deep.equal(['open', 'requested']);
        other.exec('ROLLBACK');
      });
      other.close();
      await ledger.close();
    });
  });
});
