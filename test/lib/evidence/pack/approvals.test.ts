import { createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { Approvals } from '../../../../src/lib/canary/approvals.js';
import { Canaries } from '../../../../src/lib/canary/canaries.js';
import { parseStatement } from '../../../../src/lib/evidence/formats/statement.js';
import { planPack } from '../../../../src/lib/evidence/pack/plan.js';
import { writePack } from '../../../../src/lib/evidence/pack/write.js';
import { verifyPack } from '../../../../src/lib/evidence/verify/pack.js';
import { ZippedPack } from '../../../../src/lib/evidence/verify/zip.js';
import type { Actor } from '../../../../src/lib/ledger/events.js';
import type { Selection } from '../../../../src/lib/ledger/pages.js';
import {
  ACTOR,
  drive,
  driver,
  FakeClock,
  HEALTHY,
  type Place,
  place,
  SILENT,
  scripted,
  start,
} from '../../canary/harness.js';
import { policy } from '../../judge/looks.js';
import { KEYS, ORIGIN } from '../verify/tiny-pack.js';
import { fileOf } from './packed-log.js';

const [BO, CY]: Actor[] = [
  { who: 'bo', how: 'os-user' },
  { who: 'cy', how: 'os-user' },
];
const EMERGENCY = 'v1 refuses every payment, this mends it';

/** Who was asked, what they said, and what was done without asking. */
describe('a pack of promotions that people approve', () => {
  let here: Place;
  const ids: Record<string, string> = {};
  let beforeReview: string;

  before(async () => {
    here = await place();
    const clock = new FakeClock();
    const approvals = new Approvals(here.ledger, clock);
    const canaries = new Canaries(here.ledger, clock);
    const again = (id: string, look = HEALTHY) =>
      drive({ ...driver({ ledger: here.ledger, clock, source: scripted(clock, () => look) }), clock }, id);
    const decided = async (name: string, look = HEALTHY, more: { dryRun?: boolean; modelId?: string } = {}) => {
      const wanted = policy({
        targets: { max_error_rate: 0.02 },
        windowSeconds: 20,
        noDataSeconds: 10,
        approvals: { required: 2, expiresAfter: '2h' },
      });
      const { id } = await start(here.ledger, clock, { policy: wanted, ...more });
      ids[name] = id;
      await again(id, look);
      return id;
    };
    const approve = async (id: string) => {
      await approvals.approve(id, BO!, 'fine');
      await approvals.approve(id, CY!, 'fine');
    };
    const approved = await decided('approved');
    await approve(approved);
    await again(approved);
    await decided('dry', HEALTHY, { dryRun: true });
    await approvals.reject(await decided('rejected'), BO!, 'not on a Friday');
    const lapsed = await decided('lapsed');
    await approve(lapsed);
    clock.time += 2 * 3_600_000;
    await again(lapsed);
    await canaries.override(await decided('overridden', SILENT), ACTOR, 'I know better');
    const forced = await decided('forced', SILENT, { modelId: 'fraud-v9' });
    await approvals.breakGlass(forced, ACTOR, EMERGENCY);
    await again(forced);
    const reviewed = await decided('reviewed');
    await approvals.breakGlass(reviewed, ACTOR, EMERGENCY);
    await again(reviewed);
    clock.time += 60_000;
    beforeReview = new Date(clock.time).toISOString();
    await approvals.review(reviewed, BO!, 'it was needed');
  });
  after(() => here.close());

  async function packed(to: string | null = null, selection: Selection = {}) {
    const path = join(dirname(here.path), 'pack.zip');
    const plan = await planPack(here.ledger, { from: null, to, selection }, async () => ({}));
    const out = createWriteStream(path);
    await writePack({ ledger: here.ledger, plan, origin: ORIGIN, keys: KEYS, version: '0', out });
    const pack = await ZippedPack.open(path);
    const { problems } = await verifyPack(pack, { trust: null }).finally(() => pack.close());
    expect(problems).to.deep.equal([]);
    const file = (name: string) => fileOf(path, name);
    const { payload } = JSON.parse(await file('statement.dsse.json')) as { payload: string };
    const { predicate } = parseStatement(JSON.parse(Buffer.from(payload, 'base64').toString()));
    return { meta: JSON.parse(await file('meta.json')), narrative: await file('narrative.txt'), predicate };
  }
  const deciding = async (name: string, kind: string): Promise<number> =>
    (await here.ledger.events({ subject: ids[name]! })).find((event) => event.kind === kind)!.seq;

  it('says how each of them ended, and by whom', async () => {
    const { predicate } = await packed();
    const ends = Object.fromEntries(
      Object.entries(ids).map(([name, id]) => [
        name,
        predicate.decisions.filter((d) => d.canaryId === id).map(({ outcome, basis }) => `${outcome} ${basis}`),
      ]),
    );
    expect(ends).to.deep.equal({
      // The first of two approvals ends nothing.
      approved: ['BLOCKED evidence', 'PROMOTED evidence'],
      dry: ['PROMOTED evidence'],
      rejected: ['BLOCKED evidence', 'REJECTED person'],
      lapsed: ['BLOCKED evidence', 'PROMOTED evidence', 'BLOCKED person'],
      overridden: ['BLOCKED evidence', 'BLOCKED person'],
      forced: ['BLOCKED evidence', 'PROMOTED break-glass'],
      reviewed: ['BLOCKED evidence', 'PROMOTED break-glass'],
    });
    expect(predicate.counts).to.deep.equal({
      promoted: 5,
      rolledBack: 0,
      blocked: 8,
      aborted: 0,
      failed: 0,
      rejected: 1,
      overridden: 1,
      breakGlass: 2,
      breakGlassUnreviewed: 1,
    });
  });

  it('begins its narrative with break-glass that nobody has reviewed, and lists it in meta.json', async () => {
    const { meta, narrative } = await packed();
    expect(meta.unreviewed).to.deep.equal([
      { seq: await deciding('forced', 'canary.forced'), canaryId: ids['forced'] },
    ]);
    const parts = narrative.split(/^(?=[A-Z][A-Z ,-]+$)/m);
    expect(parts.map((part) => part.split('\n')[0]).slice(1)).to.deep.equal([
      'PROMOTED BY BREAK-GLASS, NOT REVIEWED BY THE END OF THE WINDOW',
      'PROMOTED BY BREAK-GLASS, REVIEWED',
      'PROMOTED BY A PERSON AGAINST THE VERDICT',
      'ALL DECISIONS, IN THE ORDER OF THE LOG',
    ]);
    const [head = '', unreviewed = '', reviewed = '', overridden = '', all = ''] = parts;
    expect(head).to.contain('1 override, 2 by break-glass (1 not reviewed)');
    expect(unreviewed).to.match(/PROMOTED {2}fraud-v9 {2}stage → production/);
    expect(unreviewed).to.match(
      /promoted by break-glass, without the approvals .* by ana \(os-user\): v1 refuses every payment/,
    );
    expect([unreviewed, reviewed, overridden].map((part) => part.match(/^\S+ {2}entry/gm)?.length)).to.deep.equal([
      1, 1, 1,
    ]);
    expect(reviewed).to.contain(ids['reviewed']);
    expect(overridden).to.contain(ids['overridden']);
    expect(all).to.match(/REJECTED {2}.*\n.*rejected by bo \(os-user\): not on a Friday/);
    expect(all).to.match(/approvals lapsed: they expired/);
    expect(all).to.match(/waiting for the approvals that the policy requires/);
  });

  it('takes a review for one only when it was made by the end of the window', async () => {
    const { meta, narrative } = await packed(beforeReview);
    expect(meta.unreviewed.map(({ canaryId }: { canaryId: string }) => canaryId)).to.deep.equal([
      ids['forced'],
      ids['reviewed'],
    ]);
    expect(narrative).to.match(/REVIEWED\n\nnone\n/);
  });

  it('lists what is unreviewed of the models that were asked for', async () => {
    const of = async (model: string) => (await packed(null, { models: [model] })).meta.unreviewed.length;
    expect([await of('fraud-v9'), await of('fraud-v2')]).to.deep.equal([1, 0]);
  });
});
