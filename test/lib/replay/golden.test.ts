import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { replayLog, type Selection } from '../../../src/lib/app/replay.js';
import { systemClock } from '../../../src/lib/clock.js';
import type { Verdict } from '../../../src/lib/judge/verdict.js';
import { JUDGE_VERSION } from '../../../src/lib/judge/version.js';
import { canonicalJson } from '../../../src/lib/ledger/tree/canonical.js';
import type { Canary } from '../../../src/lib/readings/canary.js';
import type { ReplayResult } from '../../../src/lib/replay/result.js';
import { place } from '../canary/harness.js';
import { runGolden } from './golden-canaries.js';
import { request } from './recordings.js';

const FOLDER = fileURLToPath(new URL('../../golden/ledgers', import.meta.url));
const ALL: Selection = { canaryIds: [], from: 0, to: null, modelId: null };

interface Expected {
  judge: number;
  canaries: {
    canaryId: string;
    modelId: string;
    state: Canary['state'];
    verdict: Verdict | null;
    observations: { count: number; digest: string } | null;
  }[];
}

const expectedOf = (name: string): Expected => JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));

/** Replays a copy: opening a database leaves files beside it. */
async function replayed(name: string): Promise<ReplayResult> {
  const folder = mkdtempSync(join(tmpdir(), 'lukhas-golden-'));
  try {
    const copy = join(folder, 'golden.db');
    copyFileSync(join(FOLDER, `${name}.db`), copy);
    return (await replayLog(copy, systemClock(), ALL, request({}))).result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.db'))
  .map((file) => file.slice(0, -3));

describe('the golden ledgers', () => {
  it('hold one of the judge as it is', () => {
    expect(names).to.include(`judge-${JUDGE_VERSION}`);
    expect(expectedOf(`judge-${JUDGE_VERSION}`).judge).to.equal(JUDGE_VERSION);
  });

  for (const name of names) {
    it(`${name}: replays to the verdicts that were given then`, async () => {
      const { canaries, totals } = await replayed(name);
      const expected = expectedOf(name).canaries;
      expect(canaries.map(({ canaryId }) => canaryId)).to.deep.equal(expected.map(({ canaryId }) => canaryId));
      for (const [i, { modelId, verdict, observations }] of expected.entries()) {
        const { original, counterfactual, observations: read, divergence } = canaries[i] as (typeof canaries)[number];
        if (verdict === null) {
          expect(original.lacking, modelId).to.match(/aborted/);
          continue;
        }
        expect(original.verdict, modelId).to.deep.equal(verdict);
        expect(read, modelId).to.deep.equal({ ...observations, verified: true });
        expect(divergence, modelId).to.equal(null);
        // Also those of earlier judges: a policy without the keys that came later is judged as it was.
        expect(canonicalJson(counterfactual.verdict), modelId).to.equal(canonicalJson(verdict));
      }
      expect(totals.flips).to.equal(0);
    });
  }

  it('are what the same canaries come to when they are run today', async () => {
    const at = await place();
    try {
      const today = await runGolden(at.ledger);
      const then = expectedOf(`judge-${JUDGE_VERSION}`).canaries;
      expect(today.map(({ modelId, state }) => [modelId, state])).to.deep.equal(
        then.map(({ modelId, state }) => [modelId, state]),
      );
      for (const [i, { modelId, verdict }] of today.entries()) {
        expect(canonicalJson(verdict), modelId).to.equal(canonicalJson(then[i]?.verdict));
      }
    } finally {
      await at.close();
    }
  });
});
