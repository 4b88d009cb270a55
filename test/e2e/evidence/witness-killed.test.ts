import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { WitnessStore } from '../../../src/lib/evidence/witness/store.js';
import { Witness } from '../../../src/lib/evidence/witness/witness.js';
import { ALICE, BOB } from '../../lib/evidence/signers.js';
import { GrownLog } from '../../lib/evidence/tree/grown-log.js';

const ORIGIN = 'example.com/canaries';
const CHILD = fileURLToPath(new URL('witness-child.ts', import.meta.url));

describe('a witness that is killed', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-witness-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const killed = (body: Buffer, moment: 'before' | 'after') =>
    new Promise<{ signal: string | null; stdout: string }>((resolve) => {
      const args = ['--import', 'tsx', CHILD, dir, ORIGIN, body.toString('base64'), moment];
      execFile(process.execPath, args, (error, stdout) => resolve({ signal: error?.signal ?? null, stdout }));
    });
  const restarted = (log: GrownLog) =>
    new Witness({ name: 'w', key: BOB, logs: [log.vkey], store: new WitnessStore(dir), now: Date.now });

  it('between cosigning and answering has its head kept: no other is cosigned, and the same is again', async () => {
    const log = new GrownLog(ORIGIN, ALICE).grow(5);
    expect((await restarted(log).add(log.request(0))).status).to.equal(200);
    const other = log.fork().grow(2, 'other').request(5);
    log.grow(2);
    expect(await killed(log.request(5), 'after')).to.deep.equal({ signal: 'SIGKILL', stdout: '' });
    const witness = restarted(log);
    expect(await witness.add(other)).to.include({ status: 409, size: 7 });
    expect(await witness.add(log.fork(5).grow(2, 'other').request(7))).to.include({ status: 409 });
    expect(await witness.add(log.request(7))).to.include({ status: 200 });
  });

  it('before its head is kept has said nothing: one head follows, and one only', async () => {
    const log = new GrownLog(ORIGIN, ALICE).grow(5);
    expect((await restarted(log).add(log.request(0))).status).to.equal(200);
    const other = log.fork().grow(2, 'other').request(5);
    log.grow(2);
    expect(await killed(log.request(5), 'before')).to.deep.equal({ signal: 'SIGKILL', stdout: '' });
    const witness = restarted(log);
    expect(await witness.add(other)).to.include({ status: 200 });
    expect(await witness.add(log.request(5))).to.include({ status: 409 });
    expect(await witness.add(log.request(7))).to.include({ status: 409 });
  });
});
