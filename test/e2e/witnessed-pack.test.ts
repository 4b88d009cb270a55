import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';
import { finished } from '../lib/ledger/examples.js';
import { onlyDocument, type Running, Workspace } from './lukhas.js';
import { startWitness } from './witness.js';

const EXPORT = ['export', '--from', '2020-01-01T00:00:00Z', '--out'];

describe('a pack that a witness vouches for', () => {
  let at: Workspace;
  let witness: { url: string; vkey: string; pem: string; running: Running };
  let trust: string[];

  const append = async (count: number, what = 'a') => {
    const ledger = await openLedger(at.db);
    await ledger.commit({ events: Array.from({ length: count }, (_, n) => finished(what, n)) });
    await ledger.close();
  };
  /** Runs it, and expects it to succeed. */
  const done = async (...args: string[]) => {
    const run = await at.run(args);
    expect(run.code, run.stdout + run.stderr).to.equal(0);
    return run;
  };

  beforeEach(async () => {
    at = new Workspace();
    await append(5);
    await done('keys', 'init');
    witness = await startWitness(at);
    const vkey = readFileSync(witness.vkey, 'utf8').trim();
    at.file('lukhas.yaml', JSON.stringify({ evidence: { witnesses: [{ url: witness.url, vkey }] } }));
    at.file('export.pub', (await done('keys', 'show', '--form', 'ssh', '--role', 'export')).stdout);
    trust = ['log.vkey', 'export.pub', 'w.vkey'].flatMap((name) => ['--trust', name]);
  });
  afterEach(() => at.remove());

  it('is cosigned when it is made, verifies by the key of the witness, and stays the same to the byte', async () => {
    const made = onlyDocument(await done(...EXPORT, 'a.zip', '--json'));
    expect(made['cosigned']).to.deep.equal({ size: 5, by: ['w.example.com'] });
    const report = await done('verify', 'a.zip', ...trust);
    expect(report.stdout)
      .to.match(/^verified: a\.zip\n/)
      .and.match(
        /verified {2}witness w\.example\.com cosigned the log at 5 entries \([\d-]+T[\d:.]+Z\): covers the whole pack/,
      );
    const json = onlyDocument(await at.run(['verify', 'a.zip', ...trust, '--json']));
    expect(json['witnesses']).to.have.length(1);
    // The witness gives its next cosignature another time.
    await wait(1_100);
    await done(...EXPORT, 'b.zip');
    expect(readFileSync(join(at.dir, 'b.zip')).equals(readFileSync(join(at.dir, 'a.zip')))).to.equal(true);
  });

  it('is made without a witness that cannot be reached, and says so, and how much was seen', async () => {
    await done(...EXPORT, 'a.zip');
    witness.running.child.kill('SIGTERM');
    await witness.running.finished;
    await append(3, 'b');
    const run = await at.run([...EXPORT, 'b.zip', '--json']);
    expect(run.code, run.stderr).to.equal(0);
    expect(run.stderr).to.match(/^not cosigned: http:\/\/127/m);
    const { cosigned, told } = onlyDocument(run) as {
      cosigned: object;
      told: { kind: string; error: { code: string } }[];
    };
    expect(cosigned).to.deep.equal({ size: 5, by: ['w.example.com'] });
    expect(told.map(({ kind, error }) => [kind, error.code])).to.deep.equal([['witness', 'ANCHOR_FAILED']]);
    const report = await done('verify', 'b.zip', ...trust);
    expect(report.stdout)
      .to.include('covers only the entries before 5')
      .and.include('not checked  entries 5 to 7: not covered by a trusted witness');
    // What VERIFY.md has bash do says the same.
    const text = execFileSync('unzip', ['-p', 'b.zip', 'VERIFY.md'], { cwd: at.dir, encoding: 'utf8' });
    const script = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block).join('\n');
    const cwd = join(at.dir, 'audit');
    mkdirSync(cwd);
    const env = { PATH: '/usr/bin:/bin', PACK: '../b.zip', WITNESS_PEM: '../w.pem' };
    const output = execFileSync('bash', ['-c', script], {
      cwd,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(output).to.match(/^witnessed: the first 5 entries of the log, .*\nnot witnessed: entries 5 to 7$/m);
  });

  it('cannot be made of a log that was written anew by one who holds all keys', async () => {
    await done(...EXPORT, 'first.zip');
    copyFileSync(join(at.dir, 'checkpoints', '5'), join(at.dir, 'kept'));
    for (const file of ['', '-wal', '-shm']) rmSync(at.db + file, { force: true });
    rmSync(join(at.dir, 'checkpoints'), { recursive: true });
    await append(8, 'forged');
    const asked = await at.run([...EXPORT, 'forged.zip']);
    expect(asked.code).to.equal(7);
    expect(asked.stderr).to.include('has cosigned a different history of this log: its first 5 entries are different');
    // Who does not ask the witness has no cosignature to show.
    at.file('lukhas.yaml', '{}');
    await done(...EXPORT, 'forged.zip');
    expect((await done('verify', 'forged.zip', ...trust.slice(0, 4))).stdout).to.match(/^verified: /);
    const missing = await at.run(['verify', 'forged.zip', ...trust]);
    expect(missing.code).to.equal(7);
    expect(missing.stdout).to.match(
      /^NOT PROVEN: forged\.zip\n {2}not proven {2}cosignature of witness w\.example\.com/,
    );
    const since = await at.run(['verify', 'forged.zip', ...trust, '--since', 'kept']);
    expect(since.code).to.equal(7);
    expect(since.stdout).to.include('the log was rewritten');
    // Nor does it help to put back what the witness has signed.
    copyFileSync(join(at.dir, 'kept'), join(at.dir, 'checkpoints', '5'));
    const joined = await at.run([...EXPORT, 'joined.zip']);
    expect(joined.code).to.equal(7);
    expect(joined.stderr).to.include('differ from those that a witness has cosigned');
  });

  it('goes with proofs of single entries that carry the cosignature, too', async () => {
    await done('checkpoint');
    await append(3, 'b');
    await done('prove', '2', '--out', 'p.tlog-proof');
    const report = await done('verify', 'p.tlog-proof', ...trust);
    expect(report.stdout).to.match(
      /verified {2}checkpoint: cosigned by trusted witness w\.example\.com \(5 entries, at /,
    );
    expect(onlyDocument(await at.run(['verify', 'p.tlog-proof', ...trust, '--json']))['witnesses']).to.have.length(1);
    // No witness has seen this one yet.
    await done('prove', '6', '--out', 'late.tlog-proof');
    const late = await at.run(['verify', 'late.tlog-proof', ...trust]);
    expect(late.code).to.equal(7);
    expect(late.stdout)
      .to.match(/^NOT PROVEN: /)
      .and.include('cosignature of witness w.example.com: none on the checkpoint of this proof');
    expect((await done('verify', 'late.tlog-proof', '--trust', 'log.vkey')).stdout).to.match(/^verified: /);
  });
});
