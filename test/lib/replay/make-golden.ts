/**
 * `npx tsx test/lib/replay/make-golden.ts` writes the golden ledger of the judge as it is now. A ledger once written is
 * kept: it says what was decided, and a judge that decides otherwise is another version.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { JUDGE_VERSION } from '../../../src/lib/judge/version.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { runGolden } from './golden-canaries.js';

const name = fileURLToPath(new URL(`../../golden/ledgers/judge-${JUDGE_VERSION}`, import.meta.url));
if (existsSync(`${name}.db`)) throw new Error(`${name}.db exists: a golden ledger is never written again`);

const ledger = await openLedger(`${name}.db`);
const canaries = await runGolden(ledger);
await ledger.close();
const db = new Database(`${name}.db`);
// One file without a log beside it, and nothing in it of what was written over.
db.pragma('journal_mode = DELETE');
db.exec('VACUUM');
db.close();
for (const left of ['-wal', '-shm']) rmSync(`${name}.db${left}`, { force: true });

const expected = canaries.map(({ id, modelId, state, verdict, observations }) => ({
  canaryId: id,
  modelId,
  state,
  verdict,
  observations: observations && { count: observations.count, digest: observations.digest },
}));
writeFileSync(`${name}.json`, `${JSON.stringify({ judge: JUDGE_VERSION, canaries: expected }, null, 1)}\n`);
for (const { modelId, state, verdict } of expected) console.log(modelId, state, verdict?.reason, verdict?.tick);
