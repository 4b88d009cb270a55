import { createWriteStream, existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { planPack } from '../../../../src/lib/evidence/pack/plan.js';
import { writePack } from '../../../../src/lib/evidence/pack/write.js';
import { verifyPack } from '../../../../src/lib/evidence/verify/pack.js';
import { ZippedPack } from '../../../../src/lib/evidence/verify/zip.js';
import type { Ledger } from '../../../../src/lib/ledger/ledger.js';
import type { Selection } from '../../../../src/lib/ledger/pages.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { cases } from '../../../cases.js';
import { BAD, drive, driver, FakeClock, HEALTHY, SILENT, scripted, start } from '../../canary/harness.js';
import { policy } from '../../judge/looks.js';
import { KEYS, ORIGIN } from './tiny-pack.js';

/** The writer and the verifier share no code: what one writes the other has to accept, whatever the window. */
describe('packs of the writer, to the verifier', () => {
  let folder: string;
  let ledger: Ledger;

  before(async () => {
    folder = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'lukhas-packs-'));
    ledger = await openLedger(join(folder, 'log.db'));
    const clock = new FakeClock();
    for (const [i, found] of [HEALTHY, BAD, SILENT, HEALTHY].entries()) {
      const P = policy({ targets: { max_error_rate: 0.02 }, windowSeconds: 30 + 10 * (i % 2), noDataSeconds: 15 });
      const { id } = await start(ledger, clock, { policy: P });
      await drive({ ...driver({ ledger, clock, source: scripted(clock, () => found) }), clock }, id);
    }
  });
  after(async () => {
    await ledger.close();
    await rm(folder, { recursive: true });
  });

  async function problems(times: { from: string | null; to: string | null }, selection: Selection): Promise<string[]> {
    const path = join(folder, 'pack.zip');
    const plan = await planPack(ledger, { ...times, selection }, async () => ({}));
    await writePack({ ledger, plan, origin: ORIGIN, keys: KEYS, version: '0', out: createWriteStream(path) });
    const pack = await ZippedPack.open(path);
    try {
      return (await verifyPack(pack, { trust: null })).problems;
    } finally {
      pack.close();
    }
  }

  const SELECTIONS: Selection[] = [
    {},
    { families: ['canary'] },
    { families: ['gate'] },
    { models: ['nobody'] },
    { models: ['fraud-v2'] },
  ];
  for (const selection of SELECTIONS) {
    it(`hold for every window, with ${JSON.stringify(selection)}`, async () => {
      const times = [...new Set((await ledger.events()).map(({ ts }) => ts))];
      // Every beginning, or each fifth one.
      for (const from of [null, ...times.filter((_, i) => i % cases(1, 5) === 0)]) {
        for (const to of [null, times[2]!, times.at(-2)!]) {
          if (from !== null && to !== null && from >= to) continue;
          expect(await problems({ from, to }, selection), `${from} to ${to}`).to.deep.equal([]);
        }
      }
    });
  }
});
