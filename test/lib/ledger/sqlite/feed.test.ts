import { copyFile } from 'node:fs/promises';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import fc from 'fast-check';
import type { LukhasError } from '../../../../src/lib/errors.js';
import type { EventDraft, StoredEvent } from '../../../../src/lib/ledger/events.js';
import type { FeedItem, FeedPosition, Ledger } from '../../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { verifyDatabase } from '../../../../src/lib/ledger/verify/database.js';
import { cases } from '../../../cases.js';
import { finished, observation, withFolder } from '../examples.js';

const START: FeedPosition = { seq: 0, row: 0 };
const GOLDEN = new URL('../../../golden/ledgers/judge-1.db', import.meta.url);

/** What one commit holds: events of one canary, and observations, each after so many of these events. */
interface Draft {
  connection: 0 | 1;
  canary: string;
  events: number;
  after: number[];
}

const draft: fc.Arbitrary<Draft> = fc
  .record({
    connection: fc.constantFrom(0 as const, 1 as const),
    canary: fc.constantFrom('a', 'b', 'c'),
    events: fc.nat(3),
    after: fc.array(fc.nat(3), { maxLength: 4 }),
  })
  .map((d) => ({ ...d, after: d.after.map((n) => Math.min(n, d.events)) }));

/** Everything in the feed, `size` items at a time; the end is the first page that is empty. */
async function readAll(ledger: Ledger, size: number, from = START): Promise<FeedItem[]> {
  const all: FeedItem[] = [];
  for (let at = from; ; at = all.at(-1)!.position) {
    const page = await ledger.feed(at, size);
    expect(page.length).to.be.at.most(size);
    if (page.length === 0) return all;
    all.push(...page);
  }
}

function name(item: FeedItem): string {
  return item.type === 'event' ? `event ${item.event.seq}` : `${item.canaryId} ${item.observation.tick}`;
}

/** Commits the drafts, those of the two connections at the same time and each in its order. */
async function commitAll(ledgers: readonly [Ledger, Ledger], drafts: readonly Draft[]) {
  const ticks = new Map<string, number>();
  const units = drafts.map((d) => {
    const observations = d.after.map((afterEvents) => {
      const tick = ticks.get(d.canary) ?? 0;
      ticks.set(d.canary, tick + 1);
      return { canaryId: d.canary, observation: observation(tick), afterEvents };
    });
    const events: EventDraft[] = Array.from({ length: d.events }, (_, i) => finished(d.canary, i));
    return { connection: d.connection, events, observations };
  });
  return Promise.all(
    units.map(async ({ connection, ...unit }) => ({ unit, stored: await ledgers[connection].commit(unit) })),
  );
}

type Committed = Awaited<ReturnType<typeof commitAll>>[number];

/** An observation stands before its unit's events, but after as many of them as it says. */
function expectInPlace(order: ReadonlyMap<string, number>, { unit, stored }: Committed): void {
  for (const { canaryId, observation: o, afterEvents } of unit.observations) {
    const place = order.get(`${canaryId} ${o.tick}`)!;
    stored.forEach(({ seq }: StoredEvent, i) => {
      const event = order.get(`event ${seq}`)!;
      if (i < afterEvents) expect(event, `event ${i} of the unit`).to.be.below(place);
      else expect(event, `event ${i} of the unit`).to.be.above(place);
    });
  }
}

async function withTwo(test: (ledgers: [Ledger, Ledger], path: string) => Promise<void>): Promise<void> {
  await withFolder(async (path) => {
    const ledgers: [Ledger, Ledger] = [await openLedger(path), await openLedger(path)];
    try {
      await test(ledgers, path);
    } finally {
      await Promise.all(ledgers.map((ledger) => ledger.close()));
    }
  });
}

/** As retention does. */
function prune(path: string, where: string): void {
  const db = new Database(path);
  db.exec(`DELETE FROM canary_metrics WHERE ${where}`);
  db.close();
}

describe('the feed', () => {
  it('tells what two connections commit exactly once, in one order, in pages of any size, from any place', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(draft, { maxLength: 15 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(),
        async (drafts, size, place) =>
          withTwo(async (ledgers) => {
            const committed = await commitAll(ledgers, drafts);
            const all = await readAll(ledgers[0], 1000);
            const names = all.map(name);
            const events = committed.flatMap(({ stored }) => stored);
            const rows = committed.flatMap(({ unit }) => unit.observations);
            expect(new Set(names).size).to.equal(names.length);
            expect(names.length).to.equal(events.length + rows.length);
            const told = all.flatMap((item) => (item.type === 'event' ? item.event : []));
            expect(told).to.deep.equal(await ledgers[1].events());
            const order = new Map(names.map((n, i) => [n, i]));
            for (const unit of committed) expectInPlace(order, unit);
            for (const ledger of ledgers) expect(await readAll(ledger, size)).to.deep.equal(all);
            const from = all[place % Math.max(all.length, 1)];
            const rest = all.slice(all.indexOf(from!) + 1);
            if (from) expect(await readAll(ledgers[0], size, from.position)).to.deep.equal(rest);
            expect(await ledgers[0].feed(await ledgers[0].feedEnd(), 10)).to.deep.equal([]);
          }),
      ),
      { numRuns: cases(40, 10) },
    );
  });

  it('passes over what was pruned, from any place and in pages of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(draft, { minLength: 1, maxLength: 15 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom("canary = 'a'", 'tick < 3', 'tick % 2 = 1', '1'),
        async (drafts, size, pruned) =>
          withTwo(async (ledgers, path) => {
            await commitAll(ledgers, drafts);
            const before = await readAll(ledgers[0], 1000);
            prune(path, pruned);
            const left = new Set<string>();
            for (const canary of ['a', 'b', 'c'])
              for (const { tick } of await ledgers[0].observations(canary)) left.add(`${canary} ${tick}`);
            const kept = before.filter((item) => item.type === 'event' || left.has(name(item))).map(name);
            expect((await readAll(ledgers[0], size)).map(name)).to.deep.equal(kept);
            for (const [i, { position }] of before.entries()) {
              const rest = before.slice(i + 1).map(name);
              const expected = rest.filter((n) => n.startsWith('event') || left.has(n));
              expect((await readAll(ledgers[0], size, position)).map(name)).to.deep.equal(expected);
            }
          }),
      ),
      { numRuns: cases(30, 10) },
    );
  });

  it('goes on after more pruned observations than a page holds, and numbers no row twice', async () => {
    await withTwo(async ([ledger], path) => {
      const many = Array.from({ length: 300 }, (_, tick) => ({ canaryId: 'a', observation: observation(tick) }));
      await ledger.commit({ observations: many });
      prune(path, '1');
      const end = await ledger.feedEnd();
      await ledger.commit({ observations: [{ canaryId: 'b', observation: observation(0) }], events: [finished('b')] });
      expect((await ledger.feed(START, 2)).map(name)).to.deep.equal(['b 0', 'event 0']);
      expect((await ledger.feed(START, 1)).map(name)).to.deep.equal(['b 0']);
      expect((await ledger.feed(end, 5)).map(name)).to.deep.equal(['b 0', 'event 0']);
    });
  });

  it('does not let an event overtake observations that the page had no room for', async () => {
    await withTwo(async ([ledger], path) => {
      const many = Array.from({ length: 200 }, (_, tick) => ({ canaryId: 'a', observation: observation(tick) }));
      await ledger.commit({ observations: many, events: [finished('a')] });
      prune(path, 'tick < 199');
      expect((await ledger.feed(START, 1)).map(name)).to.deep.equal(['a 199']);
      expect((await readAll(ledger, 1)).map(name)).to.deep.equal(['a 199', 'event 0']);
    });
  });

  it('refuses an observation after more events than its unit has', async () => {
    await withTwo(async ([ledger]) => {
      const observations = [{ canaryId: 'a', observation: observation(0), afterEvents: 1 }];
      const error = await ledger.commit({ observations }).catch((reason: unknown) => reason);
      expect(error).to.have.property('code', 'USAGE');
      expect((error as LukhasError).message).to.include('after 1 events');
      expect(await readAll(ledger, 5)).to.deep.equal([]);
    });
  });

  it('says after a commit that there is something new, and only then', async () => {
    await withTwo(async ([ledger, other]) => {
      let said = 0;
      const end = ledger.onCommit(() => said++);
      await ledger.commit({ events: [finished('a')] });
      expect(said).to.equal(1);
      await ledger.commit({ observations: [{ canaryId: 'a', observation: observation(0) }] });
      expect(said).to.equal(2);
      await ledger.commit({ cursors: [{ canaryId: 'a', cursor: 1 }] });
      await ledger.commit({ observations: [{ canaryId: 'a', observation: observation(0) }] }).catch(() => undefined);
      await ledger.acquireLease('a', 'me', 0, 1);
      await other.commit({ events: [finished('a')] });
      expect(said).to.equal(2);
      end();
      await ledger.commit({ events: [finished('a')] });
      expect(said).to.equal(2);
    });
  });

  it('is made for what an older version recorded, which stays as it was', async () => {
    await withFolder(async (path) => {
      await copyFile(GOLDEN, path);
      const old = dump(path);
      const ledger = await openLedger(path);
      const all = await readAll(ledger, 7);
      await ledger.close();
      expect(dump(path)).to.deep.equal(old);
      expect((await verifyDatabase(path)).problems).to.deep.equal([]);
      expect(all).to.have.length(old.events.length + old.canary_metrics.length);
      expect(new Set(all.map(name)).size).to.equal(all.length);
      expectByTime(all);
    });
  });
});

/** Every row of what version 1 had. */
function dump(path: string): Record<'events' | 'canary_metrics', unknown[]> & Record<string, unknown[]> {
  const db = new Database(path, { readonly: true });
  const rows = (table: string) => db.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all();
  const tables = ['cursors', 'leases', 'heads'].map((table) => [table, rows(table)]);
  const dumped = { ...Object.fromEntries(tables), events: rows('events'), canary_metrics: rows('canary_metrics') };
  db.close();
  return dumped;
}

/** Observations in the order of their times, each before every event that is later. */
function expectByTime(all: readonly FeedItem[]): void {
  let latest = Number.NEGATIVE_INFINITY;
  for (const item of all) {
    if (item.type === 'event') latest = Math.max(latest, Date.parse(item.event.ts));
    else {
      // A tick and its event may have been recorded within one millisecond.
      expect(item.observation.t, name(item)).to.be.at.least(latest - 1);
      latest = Math.max(latest, item.observation.t);
    }
  }
}
