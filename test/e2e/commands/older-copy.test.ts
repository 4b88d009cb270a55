import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { EventDraft } from '../../../src/lib/ledger/events.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { TS } from '../../lib/ledger/examples.js';
import { onlyDocument, Workspace } from '../lukhas.js';
import { startWitness } from '../witness.js';

const START = ['canary', 'start', '--model', 'm', '--from', 'stage', '--to', 'production', '--max-error-rate', '0.02'];
const OBSERVED = ['--source', 'ndjson', '--input', '-', '--window', '30s'];

/** An entry that nothing is derived from. */
function said(message: string): EventDraft {
  const data = { by: { who: 'ana', how: 'os-user' }, from: null, to: null, reason: 'error', message } as const;
  return { kind: 'evidence.failed', subject: 'evidence', ts: TS, data };
}

describe('a log that is not the one that was signed', () => {
  let at: Workspace;

  beforeEach(async () => {
    at = new Workspace();
    await append(4);
    await done('keys', 'init');
    await done('checkpoint');
    copyFileSync(at.db, join(at.dir, 'backup'));
    await append(4, 'b');
  });
  afterEach(() => at.remove());

  const append = async (count: number, what = 'a') => {
    const ledger = await openLedger(at.db);
    await ledger.commit({ events: Array.from({ length: count }, (_, n) => said(`${what} ${n}`)) });
    await ledger.close();
  };
  const done = async (...args: string[]) => {
    const run = await at.run(args);
    expect(run.code, run.stdout + run.stderr).to.equal(0);
    return run;
  };
  const putBack = () => {
    for (const file of ['', '-wal', '-shm']) rmSync(at.db + file, { force: true });
    copyFileSync(join(at.dir, 'backup'), at.db);
  };
  const size = async () => (await at.events()).length;

  it('when an older copy was put back, is refused before anything is recorded, and says so in place', async () => {
    await done('checkpoint');
    expect((await done('verify')).stdout).to.match(
      /verified {2}the log contains all checkpoints in .* \(2, newest: 8 entries/,
    );
    putBack();
    for (const args of [
      [...START, ...OBSERVED],
      ['serve', '--port', '0'],
      ['job', 'cancel', 'j-1'],
      ['canary', 'promote', 'c-1', '--reason', 'because'],
    ]) {
      const run = await at.run(args);
      expect(run.code, args.join(' ') + run.stderr).to.equal(7);
      expect(run.stderr).to.include('lukhas: the log has 4 entries, but 8 were signed').and.include('docs/witness.md');
    }
    expect(await size()).to.equal(4);
    // What reads, mends or stops is not kept back.
    await done('canary', 'list');
    await done('search', 'deploy');
    await done('db', 'rebuild');
    const found = await at.run(['verify']);
    expect(found.code).to.equal(7);
    expect(found.stdout)
      .to.match(/^VERIFICATION FAILED: /)
      .and.include(`  problem  ${at.dir}/checkpoints/8: covers 8 entries, the log has only 4: entries are missing\n`);
    // Growing past what was signed does not help.
    await append(6, 'others');
    const grown = await at.run([...START, ...OBSERVED]);
    expect(grown.code).to.equal(7);
    expect(grown.stderr).to.include('the first 8 entries of the log differ from those that were signed');
    expect((await at.run(['verify'])).stdout).to.include('checkpoints/8: the first 8 entries of the log differ');
  });

  it('is started on when nothing is amiss, or nothing was ever signed', async () => {
    expect((await at.run([...START, ...OBSERVED])).code).to.not.equal(7);
    putBack();
    rmSync(join(at.dir, 'checkpoints'), { recursive: true });
    expect((await at.run([...START, ...OBSERVED])).code).to.not.equal(7);
    expect(await size()).to.be.above(4);
  });

  it('by another log key of the same name, is signed once the old one agrees', async () => {
    const [origin = ''] = readFileSync(join(at.dir, 'checkpoints', 'checkpoint'), 'utf8').split('\n');
    at.file('lukhas.yaml', JSON.stringify({ keys: { origin } }));
    const old = (await done('keys', 'show', '--role', 'log', '--form', 'vkey')).stdout;
    await done('checkpoint');
    renameSync(join(at.dir, 'keys', 'log.pem'), join(at.dir, 'old.pem'));
    await done('keys', 'init');
    await append(1, 'c');
    for (const args of [['checkpoint'], ['export', '--from', '30d', '--out', 'p.zip'], ['prove', '0']]) {
      const run = await at.run(args);
      expect(run.code, args.join(' ')).to.equal(2);
      expect(run.stderr)
        .to.include(`checkpoints/8: signed as "${origin}" by a different key`)
        .and.include('--old-key FILE');
    }
    const same = await at.run(['checkpoint', '--old-key', 'keys/log.pem']);
    expect(same.code).to.equal(2);
    expect(same.stderr).to.include('this is the current log key');
    await done('checkpoint', '--old-key', 'old.pem', '--out', 'rotated');
    await append(1, 'd');
    await done('checkpoint', '--out', 'later');
    // Whoever knows the old key only goes with it as far as that, and no farther.
    at.file('old.vkey', old);
    await done('verify', '--since', 'rotated', '--trust', 'old.vkey');
    expect((await at.run(['verify', '--since', 'later', '--trust', 'old.vkey'])).code).to.equal(7);
    const inPlace = onlyDocument(await at.run(['verify', '--json']));
    expect(inPlace).to.include({ ok: true });
    expect((inPlace['notChecked'] as string[]).join('\n')).to.include('not the log key on this machine');
  });

  it('as a witness knows it, is set aside, and nothing goes on from it', async () => {
    const { url, vkey } = await startWitness(at);
    const tell = ['checkpoint', '--witness', url, '--witness-key', vkey];
    await done(...tell);
    // With the checkpoints of the time, as a backup of the whole folder has them.
    putBack();
    for (const name of ['8', 'checkpoint']) rmSync(join(at.dir, 'checkpoints', name));
    await append(6, 'others');
    const run = await at.run([...tell, '--out', 'cp']);
    expect(run.code).to.equal(7);
    expect(run.stdout)
      .to.include('REFUSED by a witness, which has cosigned a different history: saved as')
      .and.include('10.refused');
    expect(readdirSync(join(at.dir, 'checkpoints')).sort()).to.deep.equal(['10.refused', '4', 'checkpoint']);
    expect(readFileSync(join(at.dir, 'checkpoints', 'checkpoint'), 'utf8')).to.equal(
      readFileSync(join(at.dir, 'checkpoints', '4'), 'utf8'),
    );
    expect(readdirSync(at.dir)).to.not.include('cp');
    const found = await at.run(['verify']);
    expect(found.code).to.equal(7);
    expect(found.stdout).to.include('checkpoints/10.refused: a witness has cosigned a different history than');
  });

  it('that is damaged, or beside damaged checkpoints, is told in lines', async () => {
    writeFileSync(join(at.dir, 'checkpoints', '4'), '');
    const empty = await at.run(['verify']);
    expect(empty.code).to.equal(7);
    expect(empty.stdout).to.match(/problem {2}.*checkpoints\/4: note: has no empty line/);
    const start = await at.run([...START, ...OBSERVED]);
    expect(start.code).to.equal(7);
    expect(start.stderr).to.match(/^lukhas: .*checkpoints\/4: note: has no empty line/);
    const bytes = readFileSync(at.db);
    bytes.fill(0x55, 4096, 3 * 4096);
    for (const file of ['-wal', '-shm']) rmSync(at.db + file, { force: true });
    writeFileSync(at.db, bytes);
    const damaged = await at.run(['verify']);
    expect(damaged.code).to.equal(7);
    expect(damaged.stderr + damaged.stdout).to.not.match(/\n {4}at |internal error/);
    writeFileSync(at.db, 'hello, this is no database at all');
    const none = await at.run(['verify']);
    expect(none.code).to.equal(7);
    expect(none.stderr)
      .to.match(/^lukhas: .*\n/)
      .and.not.match(/internal error/);
  });
});
