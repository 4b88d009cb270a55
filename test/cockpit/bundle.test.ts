import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { browserBundle, cockpitPage } from '../../scripts/cockpit.js';
import { canonicalJson } from '../../src/lib/ledger/tree/canonical.js';
import type { CanaryRecord, CanaryView } from '../../src/lib/view/canary.js';
import { cases } from '../cases.js';
import { type Place, place } from '../lib/canary/harness.js';
import { run, scenarios } from '../lib/canary/scenarios.js';
import { recordOf } from '../lib/view/record.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CANARIES = cases(500);
/** Of the whole page, compressed: what it is now, and a little. The aim is 60 kB; a third of it are the words of explain/. */
const MOST_BYTES = 76_500;

interface Bundled {
  canaryView(record: CanaryRecord): CanaryView | null;
}

describe('the bundle of the cockpit', function () {
  this.timeout(240_000);
  let dir: string;
  let at: Place;
  let bundled: Bundled;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-bundle-'));
    at = await place();
    const file = join(dir, 'view.mjs');
    await writeFile(file, await browserBundle(ROOT, 'src/lib/view/canary.ts', 'esm'));
    bundled = (await import(pathToFileURL(file).href)) as Bundled;
  });
  after(async () => {
    await at.close();
    await rm(dir, { recursive: true, force: true });
  });

  it(`judges recorded observations as the canary was judged, to the byte (${CANARIES} canaries)`, async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        const { id, verdict } = await run(at, scenario);
        // As over HTTP: without the decision, so that the page has to judge by itself.
        const record = JSON.parse(JSON.stringify(await recordOf(at.ledger, id))) as CanaryRecord;
        const events = record.events.filter(({ kind }) => kind === 'canary.requested' || kind === 'canary.started');
        const view = bundled.canaryView({ ...record, events })!;
        expect(canonicalJson(view.verdict)).to.equal(canonicalJson(verdict));
      }),
      { numRuns: CANARIES },
    );
  });

  it('has the judge in it, and no parser of policies', async () => {
    const page = await cockpitPage(ROOT);
    expect(page).to.not.match(/ZodError|\$Zod/);
    expect(gzipSync(page, { level: 9 }).length).to.be.at.most(MOST_BYTES);
  });

  it('is one file that asks no other host for anything', async () => {
    const page = await cockpitPage(ROOT);
    expect(page.match(/<script/g)).to.have.lengthOf(1);
    expect(page.match(/<style/g)).to.have.lengthOf(1);
    expect(page).to.not.match(/ (src|on[a-z]+|style)=/);
    const addresses = page.match(/https?:\/\/[\w.-]+/g) ?? [];
    // The name of a namespace is an address that nobody visits; the others stand in advice.
    expect(addresses.filter((address) => !/w3\.org|127\.0\.0\.1|localhost|example/.test(address))).to.deep.equal([]);
  });
});
