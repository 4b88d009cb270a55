import Database from 'better-sqlite3';
import { expect } from 'chai';
import { SqlitePages } from '../../../../src/lib/ledger/sqlite/pages.js';

describe('the pages of a log', () => {
  it('take little memory while all of it is gone through, also by two at once, and what there was afterwards', async () => {
    const db = new Database(':memory:');
    try {
      db.pragma('cache_size = -16000');
      const cache = () => Number(db.pragma('cache_size', { simple: true }));
      const pages = new SqlitePages(db, async (query) => query());
      let end = (): void => undefined;
      const first = pages.withSmallCache(() => new Promise<void>((resolve) => (end = resolve)));
      const inside = await pages.withSmallCache(async () => cache());
      expect(Math.abs(inside)).to.be.lessThan(2000);
      expect(cache(), 'the first one is not done').to.equal(inside);
      end();
      await first;
      expect(cache()).to.equal(-16000);
      const failed = await pages.withSmallCache(() => Promise.reject(new Error('stop'))).catch((error: Error) => error);
      expect((failed as Error).message).to.equal('stop');
      expect(cache()).to.equal(-16000);
    } finally {
      db.close();
    }
  });
});
