import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { LukhasError } from '../../../../src/lib/errors.js';
import { Checkpoints } from '../../../../src/lib/evidence/checkpoints/checkpoints.js';
import { CheckpointFiles } from '../../../../src/lib/evidence/checkpoints/files.js';
import type { Ledger } from '../../../../src/lib/ledger/ledger.js';
import { openLedger } from '../../../../src/lib/ledger/sqlite/ledger.js';
import { cases } from '../../../cases.js';
import { finished } from '../../ledger/examples.js';
import { Unguarded } from '../../ledger/sqlite/unguarded.js';
import { ALICE } from '../signers.js';

/** More than a page of lines. */
const SIZE = 700;
const SIGNED = 100;

describe('checkpoints of a damaged log', () => {
  let dir: string;
  let ledger: Ledger;
  let db: Unguarded;
  let checkpoints: Checkpoints;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-checkpoints-'));
    ledger = await openLedger(join(dir, 'log.db'));
    const files = new CheckpointFiles(join(dir, 'checkpoints'));
    checkpoints = new Checkpoints({ log: ledger, files, origin: 'example.com/canaries', key: ALICE });
    await append(SIGNED);
    await checkpoints.make();
    await append(SIZE - SIGNED);
    db = new Unguarded(join(dir, 'log.db'));
  });
  afterEach(async () => {
    db.close();
    await ledger.close();
    await rm(dir, { recursive: true, force: true });
  });

  const append = (count: number) =>
    ledger.commit({ events: Array.from({ length: count }, (_, n) => finished('größe', n)) });
  const edited = (seq: number) => db.replace(seq, '"attempt":1', '"attempt":2');
  async function refusal(): Promise<string> {
    const error = await checkpoints.make().then(
      () => null,
      (e: unknown) => e,
    );
    if (!(error instanceof LukhasError)) return expect.fail(`not refused: ${String(error)}`);
    expect([error.code, error.exit]).to.deep.equal(['LEDGER_CORRUPT', 7]);
    expect((await readdir(join(dir, 'checkpoints'))).sort()).to.deep.equal([String(SIGNED), 'checkpoint']);
    return error.message;
  }

  it('are signed when nothing was changed, and again after more entries', async () => {
    expect(await checkpoints.make()).to.include({ size: SIZE, created: true });
    expect(await checkpoints.make()).to.include({ size: SIZE, created: false });
    await append(3);
    expect(await checkpoints.make()).to.include({ size: SIZE + 3, created: true });
  });

  for (const seq of [SIGNED, SIGNED + 1, 255, 256, 511, SIZE - 2, SIZE - 1])
    it(`are not signed over entry ${seq} that was changed in place`, async () => {
      edited(seq);
      expect(await refusal()).to.match(new RegExp(`^Entry ${seq} of the log`));
    });

  it('are not signed with a root of nodes that were changed', async () => {
    db.db.exec(`UPDATE events SET nodes = zeroblob(length(nodes)) WHERE seq = ${SIZE - 1}`);
    expect(await refusal()).to.match(new RegExp(`^Entry ${SIZE - 1} of the log`));
  });

  it('are not signed over an entry that was changed with its own hash and nodes', async () => {
    db.rehash(edited(300));
    expect(await refusal()).to.match(/^Entry 30[0-9] of the log/);
  });

  it('are not signed over entries that are gone, or are more lines than one', async () => {
    db.write(400, Buffer.from(`${db.body(400)}\n`));
    expect(await refusal()).to.match(/^Entry 400 of the log/);
    db.db.exec('DELETE FROM events WHERE seq = 400');
    expect(await refusal()).to.match(/lacks/);
  });

  it('do not look again at what was signed before: that is for `lukhas verify`', async () => {
    edited(SIGNED - 1);
    expect(await checkpoints.make()).to.include({ size: SIZE, created: true });
  });

  it('are signed over no single byte that was changed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: SIGNED, max: SIZE - 1 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (seq, place, change) => {
          const body = db.body(seq);
          const changed = Buffer.from(body);
          const at = place % body.length;
          changed[at] = (body[at] as number) ^ change;
          db.write(seq, changed);
          await refusal();
          db.write(seq, body);
        },
      ),
      { numRuns: cases(100, 20) },
    );
  });
});
