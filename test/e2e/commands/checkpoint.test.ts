import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { parseCheckpoint } from '../../../src/lib/evidence/formats/checkpoint.js';
import { parseNote } from '../../../src/lib/evidence/formats/note.js';
import { parseVkey } from '../../../src/lib/evidence/formats/vkey.js';
import { readSigningKey } from '../../../src/lib/evidence/keys/keys.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { numbers } from '../../lib/evidence/signers.js';
import { GrownLog } from '../../lib/evidence/tree/grown-log.js';
import { finished } from '../../lib/ledger/examples.js';
import { onlyDocument, Workspace } from '../lukhas.js';
import { serveWitness, startWitness } from '../witness.js';

describe('lukhas checkpoint and lukhas witness', () => {
  let at: Workspace;

  beforeEach(() => {
    at = new Workspace();
  });
  afterEach(() => at.remove());

  const append = async (count: number, what = 'a') => {
    const ledger = await openLedger(at.db);
    await ledger.commit({ events: Array.from({ length: count }, (_, n) => finished(what, n)) });
    await ledger.close();
  };
  it('signs the log with openssl’s approval, keeps it, and tells witness and anchors', async () => {
    await append(3);
    await at.run(['keys', 'init']);
    const { url, vkey: key, running } = await startWitness(at);
    const run = await at.run([
      'checkpoint',
      '--out',
      'cp',
      '--witness',
      url,
      '--witness-key',
      key,
      '--anchor',
      'file:a.ndjson',
    ]);
    expect(run.code, run.stderr).to.equal(0);
    expect(run.stdout)
      .to.match(/^signed: 3 entries of lukhas-log\//)
      .and.include('cosigned by w.example.com at ');
    const note = readFileSync(join(at.dir, 'cp'), 'utf8');
    expect(readFileSync(join(at.dir, 'checkpoints', '3'), 'utf8')).to.equal(note);
    expect(JSON.parse(readFileSync(join(at.dir, 'a.ndjson'), 'utf8'))).to.include({ size: 3, note });
    const { text, signatures } = parseNote(note);
    expect(signatures.map(({ name }) => name)).to.deep.equal([parseCheckpoint(text).origin, 'w.example.com']);
    const pem = at.file('log.pem', (await at.run(['keys', 'show', '--role', 'log', '--form', 'pem'])).stdout);
    const files = [at.file('text', text), at.file('sig', signatures[0]!.signature)];
    execFileSync('openssl', [
      'pkeyutl',
      '-verify',
      '-pubin',
      '-inkey',
      pem,
      '-rawin',
      '-in',
      files[0]!,
      '-sigfile',
      files[1]!,
    ]);
    running.child.kill('SIGTERM');
    expect(await running.finished).to.include({ code: 143, stdout: '' });
  });

  it('takes witnesses and anchors from the configuration, and does not hide that one fails', async () => {
    await append(2);
    await at.run(['keys', 'init']);
    const { url, vkey: key } = await startWitness(at);
    const vkey = readFileSync(key, 'utf8').trim();
    const evidence = {
      witnesses: [{ url, vkey }],
      anchors: [
        { kind: 'file', path: 'kept/anchor' },
        { kind: 'git', repository: '.' },
      ],
    };
    at.file('lukhas.yaml', JSON.stringify({ evidence }));
    const run = await at.run(['checkpoint', '--json']);
    expect(run.code).to.equal(1);
    const told = onlyDocument(run)['told'] as { kind: string; error: { code: string } | null }[];
    expect(told.map(({ kind, error }) => [kind, error?.code ?? null])).to.deep.equal([
      ['witness', null],
      ['file', 'ANCHOR_FAILED'],
      ['git', 'ANCHOR_FAILED'],
    ]);
    at.file('lukhas.yaml', JSON.stringify({ evidence: { witnesses: [{ url, vkey: vkey.replace('w.', 'x.') }] } }));
    const wrong = await at.run(['checkpoint']);
    expect(wrong.code).to.equal(2);
    expect(wrong.stderr).to.include(
      'evidence.witnesses[0].vkey: verifier key x.example.com: hash does not match the key',
    );
  });

  it('refuses a database that was put back, and the witness one that was rewritten with everything of the operator’s', async () => {
    await append(4);
    await at.run(['keys', 'init']);
    copyFileSync(at.db, join(at.dir, 'backup'));
    const { url, vkey: key } = await startWitness(at);
    await append(4, 'b');
    const checkpoint = ['checkpoint', '--witness', url, '--witness-key', key];
    expect((await at.run(checkpoint)).code).to.equal(0);
    for (const file of ['', '-wal', '-shm']) rmSync(at.db + file, { force: true });
    copyFileSync(join(at.dir, 'backup'), at.db);
    const back = await at.run(checkpoint);
    expect(back.code).to.equal(7);
    expect(back.stderr).to.include('the log has 4 entries, but 8 were signed');
    // Whoever is the operator can take our own memory away, but not that of the witness.
    rmSync(join(at.dir, 'checkpoints'), { recursive: true });
    await append(6, 'forged');
    const forged = await at.run(checkpoint);
    expect(forged.code).to.equal(7);
    expect(forged.stdout).to.include('has cosigned a different history of this log: its first 8 entries are different');
  });

  it('does not write over what is no checkpoint, and says what is missing', async () => {
    await append(1);
    const none = await at.run(['checkpoint']);
    expect(none.code).to.equal(2);
    expect(none.stderr).to.include('lukhas keys init');
    await at.run(['keys', 'init']);
    expect((await at.run(['checkpoint', '--out', at.db])).stderr).to.include('is never overwritten');
    expect((await at.run(['checkpoint', '--out', 'cp'])).code).to.equal(0);
    await append(1);
    expect((await at.run(['checkpoint', '--out', 'cp'])).code).to.equal(0);
    expect(parseCheckpoint(parseNote(readFileSync(join(at.dir, 'cp'))).text).size).to.equal(2);
    expect((await at.run(['checkpoint', '--anchor', 'moon:x'])).code).to.equal(2);
    expect((await at.run(['checkpoint', '--witness', 'http://127.0.0.1:9'])).stderr).to.include(
      '--witness http://127.0.0.1:9: no key given',
    );
    const serving = await at.run(['witness', 'serve', '--db-dir', 'none', '--log', at.file('x', 'x')]);
    expect(serving.code).to.equal(2);
    expect(existsSync(join(at.dir, 'none'))).to.equal(false);
  });

  it('the witness, killed with -9 at any moment, has cosigned one history only', async () => {
    await at.run(['keys', 'init']);
    await startWitness(at).then(({ running }) => running.child.kill('SIGKILL'));
    const { name } = parseVkey(readFileSync(join(at.dir, 'log.vkey'), 'utf8').trim());
    const key = await readSigningKey(join(at.dir, 'keys', 'log.pem'));
    const cosigned = new Set<string>();
    const random = numbers(9);
    let known = new GrownLog(name, key).grow(1);
    for (let round = 0; round < 5; round++) {
      const { url, running } = await serveWitness(at, join(at.dir, 'log.vkey'));
      // Two histories are put to it over and over.
      const forks = ['one', 'two'].map((what) => known.fork().grow(1, what + round));
      const pressing = forks.map(async (fork) => {
        for (;;) {
          for (const old of [0, known.entries.length]) {
            const each = new Uint8Array(fork.request(old));
            const answer = await fetch(`${url}/add-checkpoint`, { method: 'POST', body: each }).catch(() => null);
            if (answer === null) return;
            if (answer.status === 200) cosigned.add(headOf(fork.note()));
            else expect(answer.status).to.be.oneOf([409, 422]);
          }
        }
      });
      await wait(10 + random(80));
      running.child.kill('SIGKILL');
      await Promise.all(pressing);
      // What it has answered is among what it has kept, and that is what it goes on from.
      const kept = keptHeads();
      for (const head of cosigned) expect(kept).to.include(head);
      const chosen = forks.filter((fork) => kept.includes(headOf(fork.note())));
      expect(chosen.length).to.be.at.most(1);
      known = chosen[0] ?? known;
    }
    expect(cosigned.size).to.be.at.least(1);
  });

  const headOf = (note: string) => note.split('\n').slice(0, 3).join('\n');
  /** What the witness has on disk. */
  function keptHeads(): string[] {
    const logs = join(at.dir, 'w', 'logs');
    if (!existsSync(logs)) return [];
    return readdirSync(logs, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\/\d+$/.test(file))
      .map((file) => headOf(readFileSync(join(logs, file), 'utf8')));
  }
});
