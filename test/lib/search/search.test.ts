import { copyFile, readFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { why } from '../../../src/lib/app/explanations.js';
import type { LukhasError } from '../../../src/lib/errors.js';
import { narrativeText } from '../../../src/lib/explain/render.js';
import type { EventData, EventDraft, EventKind } from '../../../src/lib/ledger/events.js';
import type { Ledger } from '../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { canonicalJson } from '../../../src/lib/ledger/tree/canonical.js';
import { leafHash } from '../../../src/lib/ledger/tree/merkle.js';
import { verifyDatabase } from '../../../src/lib/ledger/verify/database.js';
import { catchUp } from '../../../src/lib/search/indexer.js';
import type { Pages } from '../../../src/lib/search/pages.js';
import { Search } from '../../../src/lib/search/search.js';
import { ACTOR } from '../canary/harness.js';
import { STORIES, Story } from '../explain/stories.js';
import { EXAMPLES, finished, head, TS, withFolder } from '../ledger/examples.js';

const GOLDEN = new URL('../../golden/ledgers/judge-1.db', import.meta.url);
const NO_PAGES: Pages = { pages: [], digest: '', version: '' };

const searchOf = (ledger: Ledger) => new Search(ledger, async (id) => `narrative of ${id}`);

const draft = <K extends EventKind>(kind: K, subject: string, data: EventData[K]) =>
  ({ kind, subject, ts: TS, data }) as EventDraft;

const REQUEST = EXAMPLES[0]!.data as EventData['canary.requested'];

/** A canary as the library requests it: its event, and its row. */
async function request(ledger: Ledger, id: string, modelId: string, more: Partial<EventData['canary.requested']> = {}) {
  const data = { ...REQUEST, modelId, ...more };
  const { fromGate, toGate } = data;
  const row = head(id, { state: 'PENDING', modelId, data: { fromGate, toGate } });
  await ledger.commit({ events: [draft('canary.requested', id, data)], summaries: [row] });
}

async function abort(ledger: Ledger, id: string, modelId: string, reason: string): Promise<void> {
  const row = head(id, { state: 'ABORTED', modelId, open: false, data: { fromGate: 'stage', toGate: 'prod' } });
  await ledger.commit({ events: [draft('canary.aborted', id, { by: ACTOR, reason })], summaries: [row] });
}

async function enter(ledger: Ledger, gate: string, modelId: string, previous: string | null): Promise<void> {
  const subject = `gate:${gate}`;
  const change = draft('gate.changed', subject, { gate, modelId, previous, canaryId: null, by: ACTOR });
  await ledger.commit({
    events: [change],
    summaries: [head(subject, { type: 'gate', state: 'held', modelId, open: false })],
  });
}

const everything = (ledger: Ledger) => ledger.documents.beginning('', 100_000);

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

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail('it was not refused'),
    (error: LukhasError) => error,
  );

describe('search', () => {
  const ids = async (search: Search, query: string, limit = 5) =>
    (await search.search({ query, limit })).map(({ id }) => id);

  it('finds a canary by its id, a beginning of it, its model, its gate, a person, a reason', async () => {
    await withLedger(async (ledger) => {
      const search = searchOf(ledger);
      await request(ledger, 'c-m8k2x0aa', 'fraud-v2');
      await request(ledger, 'c-m8k2x1bb', 'churn-v7', {
        requestedBy: { who: 'olu', how: 'os-user' },
        toGate: 'europe',
      });
      await abort(ledger, 'c-m8k2x1bb', 'churn-v7', 'wrong thresholds for the holidays');
      for (const query of ['c-m8k2x1bb', 'c-m8k2x1', 'olu', 'europe', 'holiday', 'threshold wrong', 'aborted stage'])
        expect((await ids(search, query))[0], query).to.equal('canary:c-m8k2x1bb');
      expect((await ids(search, 'what became of c-m8k2x0aa?'))[0]).to.equal('canary:c-m8k2x0aa');
      expect(await ids(search, 'c-m8k2x')).to.include.members(['canary:c-m8k2x0aa', 'canary:c-m8k2x1bb']);
      expect((await ids(search, 'churn-v7')).slice(0, 2)).to.deep.equal(['model:churn-v7', 'canary:c-m8k2x1bb']);
      const [hit] = await search.search({ query: 'c-m8k2x1bb', limit: 1 });
      expect(hit).to.deep.equal({
        id: 'canary:c-m8k2x1bb',
        title: 'churn-v7 stage -> europe: ABORTED (c-m8k2x1bb)',
        url: '',
        snippet: hit!.snippet,
      });
      expect(hit!.snippet)
        .to.match(/^churn-v7 was aborted/)
        .and.not.include('\n');
    });
  });

  it('wants all words, and any of them only when none holds all', async () => {
    await withLedger(async (ledger) => {
      const search = searchOf(ledger);
      await request(ledger, 'c-a1', 'zebra', { toGate: 'lab' });
      await request(ledger, 'c-a2', 'zebra', { toGate: 'field' });
      expect(await ids(search, 'zebra field', 50))
        .to.include('canary:c-a2')
        .and.not.include('canary:c-a1');
      expect(await ids(search, 'zebra unheardof', 50)).to.include.members([
        'canary:c-a1',
        'canary:c-a2',
        'model:zebra',
      ]);
      expect(await ids(search, 'unheardof zebr', 50)).to.include('model:zebra');
      expect(await ids(search, 'xyzzyq', 50)).to.deep.equal([]);
    });
  });

  it('finds the newest first of what fits alike, and no more than the limit', async () => {
    await withLedger(async (ledger) => {
      const search = searchOf(ledger);
      for (const n of [1, 2, 3, 4]) await request(ledger, `c-b${n}`, `m${n}`, { toGate: 'orbit' });
      expect(await ids(search, 'orbit', 3)).to.deep.equal(['canary:c-b4', 'canary:c-b3', 'canary:c-b2']);
      expect((await refusal(search.search({ query: 'orbit', limit: 0 }))).code).to.equal('USAGE');
    });
  });

  it("finds the product's own pages, and fetches them whole or by section", async () => {
    await withLedger(async (ledger) => {
      const search = searchOf(ledger);
      expect(await ids(search, 'at an earlier time')).to.include('doc:why#at-an-earlier-time');
      expect((await ids(search, 'why'))[0]).to.equal('doc:why');
      const page = await search.fetch('doc:why');
      expect(page.text).to.equal(await readFile(new URL('../../../docs/why.md', import.meta.url), 'utf8'));
      const section = await search.fetch('doc:why#at-an-earlier-time');
      expect(section.title).to.equal('Why: the narrative and the numbers: At an earlier time');
      expect(section.text).to.match(/^`--at TIME`/);
      expect(section.metadata).to.deep.equal({ kind: 'doc', page: 'why', format: 'markdown' });
    });
  });

  it('sees what others commit, and follows a canary as it goes on', async () => {
    await withLedger(async (ledger, path) => {
      const search = searchOf(ledger);
      const other = await openLedger(path);
      await request(other, 'c-c1', 'm');
      expect((await search.search({ query: 'c-c1', limit: 1 }))[0]?.title).to.include('PENDING');
      await abort(other, 'c-c1', 'm', 'no reason');
      expect((await search.search({ query: 'c-c1', limit: 1 }))[0]?.title).to.include('ABORTED');
      await other.close();
    });
  });

  it('fetches an entry of the log as it is recorded', async () => {
    await withLedger(async (ledger) => {
      const search = searchOf(ledger);
      await request(ledger, 'c-d1', 'm');
      await abort(ledger, 'c-d1', 'm', 'why not');
      const [, event] = await ledger.events();
      const fetched = await search.fetch('event:1');
      expect(JSON.parse(fetched.text)).to.deep.equal(event);
      expect(fetched.title).to.equal('m stage -> prod: aborted by ana (entry 1 of c-d1)');
      expect(fetched.metadata['leafHash']).to.equal(leafHash(canonicalJson(event)).toString('hex'));
      expect((await ids(search, 'event:0'))[0]).to.equal('event:0');
      expect((await refusal(search.fetch('event:2'))).code).to.equal('NOT_FOUND');
    });
  });

  it('fetches jobs, promotions, gates, models and policies', async () => {
    await withLedger(async (ledger) => {
      const search = searchOf(ledger);
      await request(ledger, 'c-e1', 'm');
      await enter(ledger, 'prod', 'old', null);
      await enter(ledger, 'prod', 'm', 'old');
      const of = (prefix: string, subject: string) =>
        EXAMPLES.filter(({ kind }) => kind.startsWith(prefix)).map((e) => ({ ...e, subject }) as EventDraft);
      await ledger.commit({ events: of('job.', 'j-1').slice(0, 3) });
      await ledger.commit({ events: of('promotion.', 'p-1') });
      const job = await search.fetch('job:j-1');
      expect(job.title).to.equal('job smoke: completed (j-1)');
      expect(job.text).to.include('accuracy = 0.9');
      expect(job.metadata).to.include({ kind: 'job', jobId: 'j-1', taskId: 'smoke', status: 'completed' });
      expect((await search.fetch('promotion:p-1')).title).to.equal('promotion of m to prod: promoted (p-1)');
      expect((await search.fetch('gate:prod')).title).to.equal(`gate prod: held by m since ${TS}`);
      expect((await search.fetch('gate:prod')).text).to.include('m in place of old');
      expect(await search.fetch('model:m')).to.include({ title: 'model m: holds prod', text: 'narrative of m' });
      const policy = await search.fetch(`policy:${REQUEST.policyDigest.slice(0, 8)}`);
      expect(JSON.parse(policy.text)).to.deep.equal(REQUEST.policy);
      expect(policy.id).to.equal(`policy:${REQUEST.policyDigest}`);
      for (const [query, id] of [
        ['accuracy', 'job:j-1'],
        ['j-1', 'job:j-1'],
        ['p-1', 'promotion:p-1'],
        ['prod', 'gate:prod'],
      ] as const)
        expect((await ids(search, query))[0], query).to.equal(id);
      for (const { metadata } of [job, policy])
        for (const value of Object.values(metadata)) expect(value).to.be.a('string');
    });
  });

  it('refuses ids of nothing, and beginnings of several', async () => {
    await withLedger(async (ledger) => {
      const search = searchOf(ledger);
      await request(ledger, 'c-aaaa1', 'm', { policyDigest: `ab${'0'.repeat(62)}` });
      await request(ledger, 'c-aaaa2', 'm', { policyDigest: `ac${'0'.repeat(62)}` });
      const unknown = [
        '',
        'canary:',
        'canary:c-zz',
        'event:x',
        'job:c-aaaa1',
        'constructor:x',
        'doc:../package',
        'nothing',
        'policy:f',
      ];
      for (const id of unknown) expect((await refusal(search.fetch(id))).code, id).to.equal('NOT_FOUND');
      for (const id of ['policy:a', 'canary:c-aaaa'])
        expect((await refusal(search.fetch(id))).code).to.equal('AMBIGUOUS_ID');
      expect((await search.fetch('policy:ab')).metadata['policyDigest']).to.match(/^ab0/);
    });
  });

  it('tells a canary with its narrative, and finds it by what decided it', async () => {
    const story = await Story.begin();
    try {
      await STORIES['rolled-back']!(story);
      const { ledger } = story.at;
      const search = new Search(ledger, async (id) =>
        narrativeText(await why({ ledger, canaries: story.canaries }, id)),
      );
      const [hit] = await search.search({ query: 'fraud-v2 rolled back', limit: 1 });
      expect(hit?.title).to.equal(`fraud-v2 stage -> production: ROLLED_BACK (${story.id})`);
      const fetched = await search.fetch(hit!.id);
      expect(fetched.text).to.equal(narrativeText(await why({ ledger, canaries: story.canaries }, story.id)));
      expect(fetched.metadata).to.include({ modelId: 'fraud-v2', toGate: 'production', status: 'ROLLED_BACK' });
      const hits = await search.search({ query: 'fraud-v2 decided to roll back', limit: 5 });
      const entry = hits.find(({ id }) => id.startsWith('event:'));
      expect(JSON.parse((await search.fetch(entry!.id)).text).kind).to.equal('canary.decided');
    } finally {
      await story.end();
    }
  });

  describe('the index', () => {
    type Step = { do: 'request' | 'abort' | 'hook' | 'enter' | 'job' | 'index'; n: number; on: 0 | 1 };
    const step: fc.Arbitrary<Step> = fc.record({
      do: fc.constantFrom('request', 'abort', 'hook', 'enter', 'job', 'index'),
      n: fc.nat(3),
      on: fc.constantFrom(0, 1),
    });

    /** What the log does not allow, such as a second request, is left out. */
    async function play(ledgers: readonly [Ledger, Ledger], steps: readonly Step[]): Promise<void> {
      const requested = new Set<number>();
      let holder: string | null = null;
      for (const { do: what, n, on } of steps) {
        const ledger = ledgers[on];
        const [id, model] = [`c-x${n}`, `m${n % 2}`];
        if (what === 'index') await catchUp(ledger, NO_PAGES);
        else if (what === 'job')
          await ledger.commit({
            events: [
              draft(
                'job.queued',
                `j-${n}`,
                EXAMPLES.find((e) => e.kind === 'job.queued')!.data as EventData['job.queued'],
              ),
            ],
          });
        else if (what === 'enter') {
          await enter(ledger, 'prod', model, holder);
          holder = model;
        } else if (what === 'request' && !requested.has(n)) {
          requested.add(n);
          await request(ledger, id, model);
        } else if (what === 'abort' && requested.has(n)) await abort(ledger, id, model, `reason ${n}`);
        else if (what === 'hook' && requested.has(n)) await ledger.commit({ events: [finished(id)] });
      }
    }

    it('after any history is the one that is made from scratch', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) =>
          withLedger(async (ledger, path) => {
            const other = await openLedger(path);
            const fresh = await openLedger(path, { readOnly: true });
            try {
              await play([ledger, other], steps);
              await Promise.all([catchUp(ledger, NO_PAGES), catchUp(other, NO_PAGES)]);
              await catchUp(fresh, NO_PAGES);
              expect(await everything(ledger)).to.deep.equal(await everything(fresh));
              expect((await ledger.documents.state()).seq).to.equal(await ledger.size());
              for (const query of ['"prod"', '"m0" OR "m1"', '"reason"'])
                expect(await ledger.documents.match(query, 100)).to.have.deep.members(
                  await fresh.documents.match(query, 100),
                );
            } finally {
              await other.close();
              await fresh.close();
            }
          }),
        ),
        { numRuns: 40 },
      );
    });

    it('takes in a log of more than one page, and lets commits in between', async () => {
      await withLedger(async (ledger) => {
        for (const n of [1, 2, 3]) await request(ledger, `c-y${n}`, 'm');
        await ledger.commit({ events: Array.from({ length: 1400 }, (_, i) => finished(`c-y${(i % 3) + 1}`, i)) });
        let done = false;
        const indexing = catchUp(ledger, NO_PAGES).then(() => {
          done = true;
        });
        await turn();
        await abort(ledger, 'c-y1', 'm', 'late');
        expect(done).to.equal(false);
        await indexing;
        await catchUp(ledger, NO_PAGES);
        expect((await ledger.documents.get('canary:c-y1'))?.title).to.include('ABORTED');
        expect((await ledger.documents.state()).seq).to.equal(1404);
      });
    });

    it('ends when it is told to, and goes on from there', async () => {
      await withLedger(async (ledger) => {
        await request(ledger, 'c-z1', 'm');
        const search = searchOf(ledger);
        const stop = new Error('stop');
        const error = await refusal(search.catchUp(AbortSignal.abort(stop)));
        expect(error).to.equal(stop);
        expect((await ids(search, 'c-z1'))[0]).to.equal('canary:c-z1');
      });
    });

    it('is kept in memory by a ledger that is open for reading only, of whatever version', async () => {
      await withFolder(async (path) => {
        await copyFile(GOLDEN, path);
        const before = await readFile(path);
        const ledger = await openLedger(path, { readOnly: true });
        const search = searchOf(ledger);
        const [hit] = await search.search({ query: 'rolled back', limit: 1 });
        expect(hit?.title).to.include('ROLLED_BACK');
        expect((await search.fetch(hit!.id)).metadata['status']).to.equal('ROLLED_BACK');
        await ledger.close();
        expect(await readFile(path)).to.deep.equal(before);
      });
    });

    it('changes its pages with the product, and is made anew when documents are composed otherwise', async () => {
      await withLedger(async (ledger) => {
        await request(ledger, 'c-p1', 'm');
        const pages = (name: string, version = '1.0.0'): Pages => {
          return { pages: [{ name, title: name, text: `# ${name}` }], digest: name, version };
        };
        const page = async () =>
          (await everything(ledger)).filter(({ id }) => id.startsWith('doc:')).map(({ id }) => id);
        await catchUp(ledger, pages('one'));
        expect(await page()).to.deep.equal(['doc:one']);
        await catchUp(ledger, pages('two'));
        expect(await page()).to.deep.equal(['doc:two']);
        const made = await everything(ledger);
        const from = await ledger.documents.state();
        const old = { id: 'canary:old', title: 'as it was', body: '' };
        const to = { seq: from.seq, made: '0:two' };
        expect(await ledger.documents.write({ from, to, documents: [old] })).to.equal(true);
        await catchUp(ledger, pages('two'));
        expect(await everything(ledger)).to.deep.equal(made);
        // Another version may say the same otherwise: what it made goes too.
        const now = await ledger.documents.state();
        await ledger.documents.write({ from: now, to: now, documents: [old] });
        await catchUp(ledger, pages('two'));
        expect(await everything(ledger)).not.to.deep.equal(made);
        await catchUp(ledger, pages('two', '1.0.1'));
        expect(await everything(ledger)).to.deep.equal(made);
      });
    });

    it('is not changed by one who comes too late', async () => {
      await withLedger(async (ledger) => {
        const from = await ledger.documents.state();
        const document = { id: 'canary:a', title: 'a', body: '' };
        await ledger.documents.write({ from, to: { ...from, seq: 5 }, documents: [] });
        const late = await ledger.documents.write({ from, to: { ...from, seq: 1 }, documents: [document] });
        expect(late).to.equal(false);
        expect(await everything(ledger)).to.deep.equal([]);
        expect((await ledger.documents.state()).seq).to.equal(5);
      });
    });

    it('can be dropped: a rebuild gives the same, and the log still verifies', async () => {
      await withLedger(async (ledger, path) => {
        const search = searchOf(ledger);
        await request(ledger, 'c-r1', 'm');
        await abort(ledger, 'c-r1', 'm', 'gone');
        await search.catchUp();
        const made = await everything(ledger);
        const from = await ledger.documents.state();
        const wrong = { id: 'canary:c-r1', title: 'wrong', body: 'wrong' };
        await ledger.documents.write({ from, to: from, documents: [wrong], without: 'event:' });
        await search.rebuild();
        expect(await everything(ledger)).to.deep.equal(made);
        expect((await verifyDatabase(path)).problems).to.deep.equal([]);
      });
    });
  });
});
