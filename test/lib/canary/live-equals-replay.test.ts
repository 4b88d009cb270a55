import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Observation } from '../../../src/lib/judge/observation.js';
import { judge } from '../../../src/lib/judge/report.js';
import { canonicalJson } from '../../../src/lib/ledger/tree/canonical.js';
import type { Canary } from '../../../src/lib/readings/canary.js';
import { cases } from '../../cases.js';
import { type Place, place } from './harness.js';
import { run, scenarios } from './scenarios.js';

const ALL = 2000;
const CANARIES = cases(ALL);

/** The bytes as they lie in the database, read without the ledger. */
function recorded(db: Database.Database, id: string): { bodies: string[]; lines: string[] } {
  const column = (sql: string) => db.prepare<[string], string>(sql).pluck().all(id);
  return {
    bodies: column('SELECT body FROM events WHERE subject = ? ORDER BY seq'),
    lines: column('SELECT body FROM canary_metrics WHERE canary = ? ORDER BY tick'),
  };
}

function checkReplay(db: Database.Database, canary: Canary): void {
  const { bodies, lines } = recorded(db, canary.id);
  const events = bodies.map((body) => JSON.parse(body));
  const decisions = events.filter(({ kind }) => kind === 'canary.decided');
  expect(decisions.length).to.equal(1);
  const { seq, ts, subject, data } = decisions[0];
  const observations = lines.map((line) => JSON.parse(line) as Observation);
  const { policy: own } = events.find(({ kind }) => kind === 'canary.requested').data;
  const { startedAt } = events.find(({ kind }) => kind === 'canary.started').data;

  const verdict = judge(own, startedAt, observations);
  expect(canonicalJson(data.verdict)).to.equal(canonicalJson(verdict));
  const hash = createHash('sha256');
  for (const line of lines) hash.update(`${line}\n`);
  const judged = {
    count: lines.length,
    firstAt: observations[0]!.t,
    lastAt: observations.at(-1)!.t,
    digest: hash.digest('hex'),
  };
  expect(data.observations).to.deep.equal(judged);
  const again = { v: 1, kind: 'canary.decided', subject, ts, seq, data: { verdict, observations: judged } };
  expect(bodies).to.include(canonicalJson(again));
  expect(verdict.decision).to.not.equal('continue');
  expect(verdict.tick).to.equal(observations.at(-1)!.tick);
}

describe('a canary judged live', () => {
  let at: Place;
  let db: Database.Database;
  before(async () => {
    at = await place();
    db = new Database(at.path, { readonly: true });
  });
  after(async () => {
    db.close();
    await at.close();
  });

  it(`is judged the same in replay, to the byte (${CANARIES} canaries)`, async function () {
    this.timeout(180_000);
    const ends = new Set<string>();
    let count = 0;
    await fc.assert(
      fc.asyncProperty(scenarios, async (s) => {
        const canary = await run(at, s);
        checkReplay(db, canary);
        ends.add(`${canary.state} ${canary.verdict?.reason}`);
        count++;
      }),
      { numRuns: CANARIES },
    );
    expect(count).to.equal(CANARIES);
    if (CANARIES < ALL) return;
    // Whatever can end a canary has ended some.
    expect([...ends]).to.include.members([
      'PROMOTED certified_at_end',
      'PROMOTED certified_early',
      'PROMOTED met_without_certificate',
      'ROLLED_BACK evidence_against',
      'ROLLED_BACK failing_readings',
      'BLOCKED inconclusive',
      'BLOCKED no_data',
      'BLOCKED source_unreachable',
      'BLOCKED coverage',
      'BLOCKED not_attributable',
    ]);
  });
});
