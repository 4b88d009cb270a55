import { expect } from 'chai';
import { leafHash, verifyConsistency, verifyInclusion } from '../../../src/lib/evidence/tree/node-verifier.js';
import { verifyProofFile } from '../../../src/lib/evidence/verify/proof.js';
import { setGate } from '../../../src/lib/gates/registry.js';
import { BAD, drive, driver, FakeClock, scripted, start } from '../../lib/canary/harness.js';
import { policy } from '../../lib/judge/looks.js';
import { type Served, serve } from './daemon.js';

interface Answer {
  size: number;
  root: string;
  entries: { seq: number; body: string; path: number[] }[];
  hashes: string[];
  next: number | null;
  consistency: string[] | null;
}

describe('the log as the page asks for it', () => {
  let at: Served;
  let id: string;
  const by = { who: 'ana', how: 'os-user' } as const;
  before(async () => {
    at = await serve({
      before: async (app) => {
        const clock = new FakeClock();
        const rules = policy({ windowSeconds: 600, intervalSeconds: 1, targets: { max_error_rate: 0.02 } });
        id = (await start(app.ledger, clock, { policy: rules })).id;
        await drive({ ...driver({ ledger: app.ledger, clock, source: scripted(clock, () => BAD) }), clock }, id);
        for (let i = 0; i < 120; i++) {
          const change = { gate: `gate-${i % 3}`, modelId: `model-${i}`, canaryId: null, by };
          await setGate(app.ledger, { ...change, ts: '2026-03-01T12:00:00Z' });
        }
      },
    });
  });
  after(() => at.stop());

  const ask = (query: string) => fetch(`${at.url}/api/log${query}`);
  const log = async (query: string) => (await (await ask(query)).json()) as Answer;
  const bytes = (text: string) => Buffer.from(text, 'base64');

  it('has each entry as recorded, with what proves that it is in the tree', async () => {
    const seqs: number[] = [];
    for (let before: number | null = null; ; ) {
      const page: Answer = await log(before === null ? '' : `?before=${before}`);
      for (const { seq, body, path } of page.entries) {
        seqs.push(seq);
        expect(JSON.parse(body)).to.include({ seq });
        const claim = { index: seq, size: page.size, leaf: leafHash(body), root: bytes(page.root) };
        expect(verifyInclusion({ ...claim, path: path.map((place) => bytes(page.hashes[place]!)) })).to.equal(true);
      }
      if (page.next === null) break;
      before = page.next;
    }
    const size = await at.app.ledger.size();
    expect(seqs).to.deep.equal(Array.from({ length: size }, (_, i) => size - 1 - i));
  });

  it('proves that it continues the log that its reader has seen', async () => {
    const { size, root } = await at.app.ledger.root(50);
    const page = await log('?since=50&limit=1');
    const roots = { firstRoot: root, secondRoot: bytes(page.root) };
    expect(
      verifyConsistency({ first: size, second: page.size, ...roots, path: page.consistency!.map(bytes) }),
    ).to.equal(true);
    expect((await log('?since=100000&limit=1')).consistency).to.equal(null);
  });

  it('can be limited to a subject, a model, or kinds of entries, and goes on where a page ends', async () => {
    const kinds = (answer: Answer) => answer.entries.map(({ body }) => (JSON.parse(body) as { kind: string }).kind);
    expect(new Set(kinds(await log(`?subject=${id}`)))).to.include('canary.decided');
    expect(kinds(await log('?kind=canary.decided'))).to.deep.equal(['canary.decided']);
    expect((await log('?model=model-7')).entries.map(({ body }) => JSON.parse(body).data.modelId)).to.include(
      'model-7',
    );
    const both = await log('?subject=gate:gate-1&model=model-7');
    expect(both.entries.map(({ body }) => JSON.parse(body).data.modelId)).to.deep.equal(['model-10', 'model-7']);
    expect((await log(`?subject=${id}&model=model-7`)).entries).to.deep.equal([]);
    const first = await log('?kind=gate&limit=70');
    const rest = await log(`?kind=gate&limit=70&before=${first.next}`);
    expect([...kinds(first), ...kinds(rest)]).to.have.lengthOf(120);
    const some = await log('?subject=gate:gate-1&limit=30');
    expect((await log(`?subject=gate:gate-1&limit=30&before=${some.next}`)).entries).to.have.lengthOf(10);
  });

  it('says what is wrong with a question', async () => {
    for (const query of ['?kind=nothing', '?limit=0', '?limit=500', '?before=x', '?of=1', '?before=1&before=2']) {
      const response = await ask(query);
      expect(response.status, query).to.equal(400);
    }
    expect((await ask('/proof')).status).to.equal(400);
    expect((await ask('/proof?seq=1000000')).status).to.equal(404);
  });

  it('gives the proof of an entry as `lukhas prove` writes it', async () => {
    const response = await ask('/proof?seq=3');
    expect(response.headers.get('content-disposition')).to.include('entry-3.tlog-proof');
    const report = verifyProofFile(await response.text(), null);
    expect(report.ok).to.equal(true);
    expect(report.entry?.seq).to.equal(3);
  });
});
