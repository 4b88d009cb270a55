import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import type { EventDraft, StoredEvent } from '../../../../src/lib/ledger/events.js';
import type { Ledger, SubjectSummary } from '../../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { leafHash, verifyConsistency, verifyInclusion } from '../../../../src/lib/ledger/tree/merkle.js';
import { refusal } from '../../refusal.js';
import { decided, EXAMPLES, finished, head, observation, TS, withFolder } from '../examples.js';

async function withLedger(test: (ledger: Ledger, path: string) => Promise<void>): Promise<void> {
  await withFolder(async (path) => {
    const ledger = await openLedger(path);
    try {
      await test(ledger, path);
    } finally {
      await ledger.close();
    }
  });
}

const code = async (promise: Promise<unknown>) => (await refusal(promise)).code;

describe('SQLite ledger', () => {
  describe('events', () => {
    it('are read back as they were committed, in order, also after a restart', async () => {
      await withFolder(async (path) => {
        const ledger = await openLedger(path);
        const written = await ledger.commit({ events: EXAMPLES });
        expect(written.map((e) => e.seq)).to.deep.equal(EXAMPLES.map((_, i) => i));
        expect(written.map(({ kind, subject, ts, data }) => ({ kind, subject, ts, data }))).to.deep.equal(EXAMPLES);
        expect(await ledger.events()).to.deep.equal(written);
        const { root } = await ledger.root();
        await ledger.close();

        const again = await openLedger(path);
        expect(await again.events()).to.deep.equal(written);
        expect(await again.root()).to.deep.equal({ size: EXAMPLES.length, root });
        const [next] = await again.commit({ events: [finished('c2')] });
        expect(next?.seq).to.equal(EXAMPLES.length);
        await again.close();
      });
    });

    it('are found by subject exactly, by kind and by range', async () => {
      await withLedger(async (ledger) => {
        const subjects = ['c1', 'c10', 'c1', 'c', 'C1', 'c1%'];
        await ledger.commit({ events: subjects.map((s) => finished(s)) });
        await ledger.commit({ events: [decided('c1', 0)] });
        const seqs = async (filter: Parameters<Ledger['events']>[0]) => (await ledger.events(filter)).map((e) => e.seq);
        expect(await seqs({ subject: 'c1' })).to.deep.equal([0, 2, 6]);
        expect(await seqs({ subject: 'c1', kinds: ['canary.decided', 'canary.failed'] })).to.deep.equal([6]);
        expect(await seqs({ kinds: ['hook.finished'], from: 2, to: 5 })).to.deep.equal([2, 3, 4]);
        expect(await seqs({ kinds: [] })).to.deep.equal([]);
        expect(await seqs({ from: 4, limit: 2 })).to.deep.equal([4, 5]);
        expect(await seqs({ subject: "c1' OR 1=1 --" })).to.deep.equal([]);
      });
    });

    it('of one subject are found without reading the whole log', async () => {
      await withLedger(async (ledger, path) => {
        await ledger.commit({ events: [finished('c1')] });
        const raw = new Database(path, { readonly: true });
        const plan = (where: string) => {
          const sql = `EXPLAIN QUERY PLAN SELECT body FROM events WHERE ${where} ORDER BY seq LIMIT 9`;
          const rows = raw.prepare(sql).all(...(where.match(/\?/g) ?? []));
          return (rows as { detail: string }[]).map((row) => row.detail).join('; ');
        };
        for (const where of ['subject = ?', 'subject = ? AND kind IN (?, ?)', 'subject = ? AND seq >= ?']) {
          expect(plan(where)).to.match(/^SEARCH events USING INDEX events_by_subject \(subject=\?/);
        }
        raw.close();
      });
    });

    it('that do not fit their kind or JSON are refused, and leave nothing', async () => {
      await withLedger(async (ledger) => {
        const wrong = { ...finished('c1'), data: { ok: 'yes' } } as unknown as EventDraft;
        expect(await code(ledger.commit({ events: [finished('c1'), wrong] }))).to.equal('USAGE');
        const lone = { ...finished('c1'), subject: 'c\ud800' };
        expect(await code(ledger.commit({ events: [finished('c1'), lone] }))).to.equal('USAGE');
        expect(await ledger.size()).to.equal(0);
        expect(await ledger.events()).to.deep.equal([]);
      });
    });
  });

  describe('tree', () => {
    it('proves every entry and every earlier size', async () => {
      await withLedger(async (ledger, path) => {
        for (let i = 0; i < 13; i++) await ledger.commit({ events: [finished(`c${i}`)] });
        const raw = new Database(path, { readonly: true });
        const bodies = raw.prepare('SELECT body FROM events ORDER BY seq').pluck().all() as string[];
        raw.close();
        const { size, root } = await ledger.root();
        expect(size).to.equal(13);
        for (let seq = 0; seq < size; seq++) {
          const proof = await ledger.inclusionProof(seq);
          expect(verifyInclusion(seq, size, leafHash(bodies[seq] as string), proof, root)).to.equal(true);
          const earlier = await ledger.root(seq);
          const consistent = await ledger.consistencyProof(seq);
          expect(verifyConsistency(seq, size, earlier.root, root, consistent)).to.equal(true);
        }
        const within = await ledger.root(7);
        expect(
          verifyInclusion(3, 7, leafHash(bodies[3] as string), await ledger.inclusionProof(3, 7), within.root),
        ).to.equal(true);
      });
    });

    it('refuses what lies outside of it', async () => {
      await withLedger(async (ledger) => {
        await ledger.commit({ events: [finished('c1')] });
        for (const asked of [
          ledger.root(2),
          ledger.root(-1),
          ledger.root(0.5),
          ledger.inclusionProof(1),
          ledger.inclusionProof(0, 0),
          ledger.consistencyProof(2),
          ledger.consistencyProof(0, 2),
        ]) {
          expect(await code(asked)).to.equal('USAGE');
        }
      });
    });
  });

  describe('observations and cursors', () => {
    it('come back in order of tick, as values and as the bytes that decisions commit to', async () => {
      await withLedger(async (ledger) => {
        const ticks = Array.from({ length: 1203 }, (_, i) => i);
        const observations = [...ticks].reverse().map((tick) => ({ canaryId: 'c1', observation: observation(tick) }));
        await ledger.commit({ observations: [...observations, { canaryId: 'c10', observation: observation(7) }] });
        expect(await ledger.observations('c1')).to.deep.equal(ticks.map(observation));
        expect(await ledger.observations('c1', 1200)).to.deep.equal([observation(1201), observation(1202)]);
        const digest = createHash('sha256');
        let count = 0;
        for await (const line of ledger.observationLines('c1')) {
          digest.update(`${line}\n`);
          count++;
        }
        const event = decided('c1', 1203);
        expect(event.data).to.have.nested.property('observations.digest', digest.digest('hex'));
        expect(count).to.equal(1203);
        expect(await ledger.observations('nobody')).to.deep.equal([]);
      });
    });

    it('refuse a tick twice, together with what came with it', async () => {
      await withLedger(async (ledger) => {
        const row = { canaryId: 'c1', observation: observation(0) };
        await ledger.commit({ observations: [row] });
        const twice = ledger.commit({
          events: [finished('c1')],
          observations: [row],
          cursors: [{ canaryId: 'c1', cursor: 1 }],
        });
        expect(await code(twice)).to.equal('LEDGER_CONFLICT');
        expect(await ledger.size()).to.equal(0);
        expect(await ledger.cursor('c1')).to.equal(null);
      });
    });

    it('keep the last cursor', async () => {
      await withLedger(async (ledger) => {
        await ledger.commit({ cursors: [{ canaryId: 'c1', cursor: { a: [1] } }] });
        await ledger.commit({ cursors: [{ canaryId: 'c1', cursor: { a: [2] } }] });
        expect(await ledger.cursor('c1')).to.deep.equal({ a: [2] });
      });
    });
  });

  describe('expectations', () => {
    it('hold a unit back when the subject has newer entries', async () => {
      await withLedger(async (ledger) => {
        const unit = (lastSeq: number) => ({ events: [finished('c1')], expect: [{ subject: 'c1', lastSeq }] });
        await ledger.commit(unit(-1));
        await ledger.commit({ events: [finished('c10')] });
        expect(await code(ledger.commit(unit(-1)))).to.equal('LEDGER_CONFLICT');
        await ledger.commit(unit(0));
        expect((await ledger.events({ subject: 'c1' })).map((e) => e.seq)).to.deep.equal([0, 2]);
      });
    });

    it('hold a unit back when another has the lease, whenever it lapses', async () => {
      await withLedger(async (ledger) => {
        const unit = { events: [finished('c1')], expect: [{ lease: 'c1', holder: 'a' }] };
        expect(await code(ledger.commit(unit))).to.equal('LEDGER_CONFLICT');
        expect(await ledger.acquireLease('c1', 'a', 1000, 10)).to.equal(true);
        await ledger.commit(unit);
        expect(await ledger.acquireLease('c1', 'b', 1010, 10)).to.equal(true);
        expect((await refusal(ledger.commit(unit))).message).to.match(/a lost the lease of c1: now b holds it/);
        expect(await ledger.size()).to.equal(1);
      });
    });
  });

  describe('leases', () => {
    it('belong to one holder until they lapse or are released', async () => {
      await withLedger(async (ledger) => {
        expect(await ledger.lease('c1')).to.equal(null);
        expect(await ledger.acquireLease('c1', 'a', 1000, 50)).to.equal(true);
        expect(await ledger.acquireLease('c1', 'b', 1049, 50)).to.equal(false);
        expect(await ledger.acquireLease('c1', 'a', 1040, 50)).to.equal(true);
        expect(await ledger.lease('c1')).to.deep.equal({ holder: 'a', expiresAt: 1090 });
        expect(await ledger.acquireLease('c1', 'b', 1089, 50)).to.equal(false);
        await ledger.releaseLease('c1', 'b');
        expect(await ledger.lease('c1')).to.have.property('holder', 'a');
        await ledger.releaseLease('c1', 'a');
        expect(await ledger.acquireLease('c1', 'b', 1041, 50)).to.equal(true);
        expect(await ledger.acquireLease('c2', 'a', 1041, 50)).to.equal(true);
      });
    });
  });

  describe('heads', () => {
    it('summarise the events of their unit and keep where they began', async () => {
      await withLedger(async (ledger) => {
        const later = '2026-01-02T03:05:00Z';
        await ledger.commit({ events: [finished('x'), finished('c1'), finished('c1')], summaries: [head('c1')] });
        await ledger.commit({
          events: [{ ...finished('c1'), ts: later }, finished('x')],
          summaries: [head('c1', { state: 'PROMOTED', open: false, data: { b: 1, a: [2] } })],
        });
        const summary: SubjectSummary = {
          subject: 'c1',
          type: 'canary',
          state: 'PROMOTED',
          modelId: 'm',
          open: false,
          firstSeq: 1,
          lastSeq: 3,
          createdAt: TS,
          updatedAt: later,
          data: { a: [2], b: 1 },
        };
        expect(await ledger.summaries()).to.deep.equal([summary]);
      });
    });

    it('may change between events, but not begin without one', async () => {
      await withLedger(async (ledger) => {
        expect(await code(ledger.commit({ summaries: [head('c1')] }))).to.equal('LEDGER_CONFLICT');
        await ledger.commit({ events: [finished('c1')], summaries: [head('c1')] });
        await ledger.commit({ summaries: [head('c1', { data: { tick: 4 } })] });
        expect((await ledger.summaries())[0]).to.deep.include({ lastSeq: 0, updatedAt: TS, data: { tick: 4 } });
      });
    });

    it('are listed newest first, by type, state, model and whether they are open', async () => {
      await withLedger(async (ledger) => {
        const add = (subject: string, more: Parameters<typeof head>[1] = {}) =>
          ledger.commit({ events: [finished(subject)], summaries: [head(subject, more)] });
        await add('c1', { state: 'PROMOTED', open: false });
        await add('c2', { modelId: 'n' });
        await add('gate:prod', { type: 'gate', state: 'm', open: false });
        await add('c3', { state: 'PENDING' });
        await add('c1', { state: 'PROMOTED', open: false });
        const list = async (filter?: Parameters<Ledger['summaries']>[0]) =>
          (await ledger.summaries(filter)).map((h) => h.subject);
        expect(await list()).to.deep.equal(['c3', 'gate:prod', 'c2', 'c1']);
        expect(await list({ type: 'canary', limit: 2 })).to.deep.equal(['c3', 'c2']);
        expect(await list({ states: ['PROMOTED', 'PENDING'] })).to.deep.equal(['c3', 'c1']);
        expect(await list({ type: 'canary', open: true })).to.deep.equal(['c3', 'c2']);
        expect(await list({ open: false })).to.deep.equal(['gate:prod', 'c1']);
        expect(await list({ modelId: 'n' })).to.deep.equal(['c2']);
        expect(await list({ states: [] })).to.deep.equal([]);
      });
    });

    it('are found by their subject, literally', async () => {
      await withLedger(async (ledger) => {
        for (const s of ['ab', 'abc', 'a%']) await ledger.commit({ events: [finished(s)], summaries: [head(s)] });
        for (const s of ['ab', 'a%']) expect((await ledger.summary(s))?.subject).to.equal(s);
        for (const s of ['a', 'AB', 'a_', '']) expect(await ledger.summary(s)).to.equal(null);
      });
    });

    it('are built again from the log, whole or not at all', async () => {
      await withLedger(async (ledger) => {
        const subjects = Array.from({ length: 1100 }, (_, i) => `c${i % 3}`);
        await ledger.commit({
          events: subjects.map((s, i) => finished(s, i)),
          summaries: [head('c0', { state: 'STALE' })],
        });
        async function* fold(events: AsyncIterable<StoredEvent>): AsyncIterable<SubjectSummary> {
          const seen = new Map<string, StoredEvent[]>();
          for await (const event of events) seen.set(event.subject, [...(seen.get(event.subject) ?? []), event]);
          for (const [subject, own] of seen) {
            const times = { firstSeq: own[0]?.seq ?? 0, lastSeq: own.at(-1)?.seq ?? 0, createdAt: TS, updatedAt: TS };
            yield { ...head(subject, { data: { count: own.length } }), ...times };
          }
        }
        const before = await ledger.summaries();
        const failing = ledger.rebuildSummaries(async function* (events) {
          for await (const made of fold(events)) {
            yield made;
            throw new Error('the fold gave up');
          }
        });
        await failing.then(
          () => expect.fail('it resolved'),
          (error: Error) => expect(error.message).to.equal('the fold gave up'),
        );
        expect(await ledger.summaries()).to.deep.equal(before);

        const rebuilding = ledger.rebuildSummaries(fold);
        const meanwhile = ledger.commit({ events: [finished('c9')], summaries: [head('c9')] });
        expect(await rebuilding).to.equal(3);
        await meanwhile;
        const heads = await ledger.summaries();
        expect(heads.map((h) => h.subject)).to.deep.equal(['c9', 'c2', 'c1', 'c0']);
        expect(heads[3]).to.deep.include({ state: 'RUNNING', firstSeq: 0, lastSeq: 1098, data: { count: 367 } });
      });
    });
  });

  it('rebuilds rows while others append, whose rows are rebuilt too', async () => {
    await withLedger(async (ledger, path) => {
      const other = await openLedger(path, { busyTimeoutMs: 0 });
      try {
        await ledger.commit({ events: ['c0', 'c1'].map((s) => finished(s)), summaries: [head('c0'), head('c1')] });
        let appended = false;
        const count = await ledger.rebuildSummaries(async function* (events) {
          const seen = new Map<string, number>();
          for await (const { subject, seq } of events) {
            seen.set(subject, seq);
            // Refused if the rebuilding kept others from writing.
            if (!appended) await other.commit({ events: [finished('c2')], summaries: [head('c2')] });
            appended = true;
          }
          for (const [subject, seq] of seen)
            yield { ...head(subject), firstSeq: seq, lastSeq: seq, createdAt: TS, updatedAt: TS };
        });
        expect(count).to.equal(3);
        expect((await ledger.summaries()).map(({ subject }) => subject)).to.deep.equal(['c2', 'c1', 'c0']);
      } finally {
        await other.close();
      }
    });
  });

  it('tells when another connection has committed, and only then', async () => {
    await withLedger(async (ledger, path) => {
      const other = await openLedger(path);
      const version = await ledger.dataVersion();
      await ledger.commit({ events: [finished('c1')] });
      expect(await ledger.dataVersion()).to.equal(version);
      await other.commit({ events: [finished('c2')] });
      const next = await ledger.dataVersion();
      expect(next).to.not.equal(version);
      expect(await ledger.dataVersion()).to.equal(next);
      await other.close();
    });
  });

  it('goes on where another connection has appended', async () => {
    await withLedger(async (ledger, path) => {
      const other = await openLedger(path);
      for (let i = 0; i < 9; i++) await (i % 3 === 0 ? other : ledger).commit({ events: [finished(`c${i}`)] });
      expect((await ledger.events()).map((e) => e.subject)).to.deep.equal(Array.from({ length: 9 }, (_, i) => `c${i}`));
      expect(await other.root()).to.deep.equal(await ledger.root());
      await other.close();
    });
  });

  it('refuses everything once it is closed, after finishing what it has taken', async () => {
    await withFolder(async (path) => {
      const ledger = await openLedger(path);
      const taken = ledger.commit({ events: [finished('c1')] });
      await ledger.close();
      expect(await taken).to.have.length(1);
      expect(await code(ledger.commit({ events: [finished('c1')] }))).to.equal('LEDGER_UNAVAILABLE');
      expect(await code(ledger.events())).to.equal('LEDGER_UNAVAILABLE');
    });
  });
});
