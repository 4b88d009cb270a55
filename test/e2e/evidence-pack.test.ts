import { spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { expect } from 'chai';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';
import { BAD, drive, driver, FakeClock, HEALTHY, SILENT, scripted, start } from '../lib/canary/harness.js';
import { numbers } from '../lib/evidence/signers.js';
import { policy } from '../lib/judge/looks.js';
import { portFree, ROOT, type Running, Workspace } from './lukhas.js';
import { startWitness } from './witness.js';

const DEMO = readFileSync(join(ROOT, 'test/e2e/operations-demo.md'), 'utf8');
const line = (pattern: RegExp): string => pattern.exec(DEMO)?.[0] ?? 'false';
const P = policy({ targets: { max_error_rate: 0.02 }, windowSeconds: 30, noDataSeconds: 15 });
const FLIPS = 100;

/** What a person with Debian's programs, and nothing of lukhas or Node.js, can do. */
function bash(cwd: string, script: string, env: Record<string, string> = {}) {
  const run = spawnSync('/bin/bash', ['-s'], {
    cwd,
    input: script,
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', HOME: cwd, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  return { code: run.status, output: run.stdout + run.stderr };
}

/** Blocks of commands of VERIFY.md, in their order. */
function blocks(text: string): string[] {
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block!);
}

describe('an evidence pack', function () {
  // Programs by the hundred.
  this.timeout(600_000);
  let space: Workspace;
  let pack: string;
  let verify: string[];
  let witness: { url: string; vkey: string; pem: string; running: Running };

  before(async () => {
    space = new Workspace();
    for (const name of ['scripts', 'dist', 'package.json', 'node_modules'])
      symlinkSync(join(ROOT, name), join(space.dir, name));
    const ledger = await openLedger(space.db);
    const clock = new FakeClock(Date.now() - 600_000);
    for (const found of [HEALTHY, BAD, SILENT]) {
      const { id } = await start(ledger, clock, { policy: P });
      await drive({ ...driver({ ledger, clock, source: scripted(clock, () => found) }), clock }, id);
    }
    await ledger.close();
    await space.run(['keys', 'init']);
    witness = await startWitness(space);
    const vkey = readFileSync(witness.vkey, 'utf8').trim();
    space.file('lukhas.yaml', JSON.stringify({ evidence: { witnesses: [{ url: witness.url, vkey }] } }));
    const demo = line(/^node scripts\/export_narratives\.js .*$/m);
    expect(demo).to.equal('node scripts/export_narratives.js --from 30d --out ops-evidence.zip');
    const exported = spawnSync('bash', ['-c', demo], { cwd: space.dir, env: space.environment(), encoding: 'utf8' });
    expect(exported.status, exported.stderr).to.equal(0);
    pack = join(space.dir, 'ops-evidence.zip');
    const unzipped = bash(space.dir, 'unzip -p ops-evidence.zip VERIFY.md');
    expect(unzipped.code, unzipped.output).to.equal(0);
    verify = blocks(unzipped.output);
  });
  after(() => space.remove());

  /** The commands as they stand, in a folder of their own. */
  const follow = (zip: string, folder: string, env: Record<string, string> = {}) => {
    const cwd = join(space.dir, folder);
    mkdirSync(cwd);
    return bash(cwd, verify.join('\n'), { PACK: zip, ...env });
  };

  it('is accepted by the commands of its VERIFY.md', () => {
    expect(verify.length).to.be.at.least(6);
    const { code, output } = follow(pack, 'accepted');
    expect(code, output).to.equal(0);
    expect(output)
      .to.match(/Good "lukhas-evidence" signature/)
      .and.match(/Signature Verified Successfully/);
    expect(output).to.match(/the root matches the checkpoint/);
  });

  it('is accepted by them with keys from elsewhere, and not with the keys of others', async () => {
    const show = async (form: string, role: string) =>
      (await space.run(['keys', 'show', '--form', form, '--role', role])).stdout;
    const own = {
      ALLOWED_SIGNERS: space.file('signers', await show('allowed-signers', 'export')),
      EXPORT_PEM: space.file('export.pem', await show('pem', 'export')),
      LOG_PEM: space.file('log.pem', await show('pem', 'log')),
    };
    const accepted = follow(pack, 'own', own);
    expect(accepted.code, accepted.output).to.equal(0);
    const others = bash(
      space.dir,
      'openssl genpkey -algorithm ed25519 -out o.key && openssl pkey -in o.key -pubout -out o.pem',
    );
    expect(others.code).to.equal(0);
    for (const name of ['EXPORT_PEM', 'LOG_PEM']) {
      expect(follow(pack, `other-${name}`, { ...own, [name]: join(space.dir, 'o.pem') }).code, name).to.not.equal(0);
    }
  });

  it('is accepted by them with the key of its witness, which says when it saw what, and not with that of another', async () => {
    const { code, output } = follow(pack, 'witnessed', { WITNESS_PEM: witness.pem });
    expect(code, output).to.equal(0);
    expect(output).to.match(
      /^witnessed: the first \d+ entries of the log, by w\.example\.com at \d{4}-\d\d-\d\dT[\d:]+Z$/m,
    );
    expect(follow(pack, 'unasked').output).to.match(/^cosignatures not checked: /m);
    const other = bash(space.dir, 'openssl genpkey -algorithm ed25519 | openssl pkey -pubout -out o-w.pem');
    expect(other.code, other.output).to.equal(0);
    const refused = follow(pack, 'other-witness', { WITNESS_PEM: join(space.dir, 'o-w.pem') });
    expect(refused.code).to.not.equal(0);
    expect(refused.output).to.include('no cosignature by the key in WITNESS_PEM');
    expect(bash(space.dir, 'cp ops-evidence.zip bare.zip; zip -q -d bare.zip witness.json').code).to.equal(0);
    expect(follow(join(space.dir, 'bare.zip'), 'bare', { WITNESS_PEM: witness.pem }).code).to.not.equal(0);
  });

  it('of any part of the log is joined by them to what the witness has seen, whichever is the longer', async () => {
    const events = await space.events();
    let windows = 0;
    // The witness has seen all of them; each window ends before another entry.
    for (let end = 1; end < events.length; end++) {
      const to = events[end]!.ts;
      if (to === events[end - 1]!.ts) continue;
      const name = `to-${end}.zip`;
      const made = await space.run(['export', '--from', '30d', '--to', to, '--out', name]);
      expect(made.code, made.stderr).to.equal(0);
      const { code, output } = follow(join(space.dir, name), `to-${end}`, { WITNESS_PEM: witness.pem });
      expect(code, output).to.equal(0);
      expect(output)
        .to.include(`witnessed: the first ${events.length} entries of the log, `)
        .and.not.include('not witnessed');
      windows++;
    }
    expect(windows).to.be.at.least(3);
  });

  it(`is refused by them with one byte changed, in each file at ${FLIPS} places`, () => {
    const cwd = join(space.dir, 'flips');
    mkdirSync(join(cwd, 'pack'), { recursive: true });
    expect(bash(cwd, `unzip -q ${pack} -d pack && cp -r pack whole`).code).to.equal(0);
    // As it stands, but for the unpacking: this is done once.
    const settings = verify[0]!.split('\n').filter((text) => /^(set|[A-Z_]+=\$\{)/.test(text));
    const script = [...settings, 'cd pack', ...verify.slice(1)].join('\n');
    writeFileSync(join(cwd, 'verify.sh'), script);
    expect(bash(cwd, 'bash verify.sh').code).to.equal(0);
    const names = readdirSync(join(cwd, 'pack'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(join(cwd, 'pack'), join(entry.parentPath, entry.name)));
    expect(names.length).to.be.at.least(20);
    const random = numbers(1);
    for (const name of names) {
      const [whole, changed] = [readFileSync(join(cwd, 'whole', name)), join(cwd, 'pack', name)];
      for (let n = 0; n < FLIPS && whole.length > 0; n++) {
        const bytes = Buffer.from(whole);
        const at = random(bytes.length);
        bytes[at]! ^= 1 + random(255);
        writeFileSync(changed, bytes);
        expect(bash(cwd, 'bash verify.sh').code, `${name}, byte ${at}`).to.not.equal(0);
      }
      writeFileSync(changed, whole);
    }
  });

  it('is refused by them with a file more, or less', () => {
    for (const [name, change] of [
      ['more', 'cp ops-evidence.zip more.zip; echo x > extra.txt; zip -q more.zip extra.txt'],
      ['less', 'cp ops-evidence.zip less.zip; zip -q -d less.zip audits.csv'],
      ['unsigned', 'cp ops-evidence.zip unsigned.zip; zip -q -d unsigned.zip SHA256SUMS.sshsig'],
    ] as const) {
      expect(bash(space.dir, change).code, name).to.equal(0);
      expect(follow(join(space.dir, `${name}.zip`), `changed-${name}`).code, name).to.not.equal(0);
    }
  });

  it('is a statement to other verifiers of DSSE', () => {
    expect(bash(space.dir, 'mkdir dsse && unzip -q ops-evidence.zip -d dsse').code).to.equal(0);
    const envelope = JSON.parse(readFileSync(join(space.dir, 'dsse/statement.dsse.json'), 'utf8'));
    const rawBytes = createPublicKey(readFileSync(join(space.dir, 'dsse/keys/export.pem'))).export({
      format: 'der',
      type: 'spki',
    });
    const nobody = { mediaType: '', certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
    const trusted = toTrustMaterial(nobody, () => ({
      publicKey: createPublicKey({ key: rawBytes, format: 'der', type: 'spki' }),
      validFor: () => true,
    }));
    const verifier = new Verifier(trusted, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
    const entity = (dsseEnvelope: object) =>
      toSignedEntity(
        bundleFromJSON({
          mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
          verificationMaterial: { publicKey: { hint: 'export' }, tlogEntries: [] },
          dsseEnvelope,
        }),
      );
    verifier.verify(entity(envelope));
    const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString());
    expect(statement).to.include({ _type: 'https://in-toto.io/Statement/v1' });
    const outcomes = statement.predicate.decisions.map(({ outcome }: { outcome: string }) => outcome);
    expect(outcomes).to.deep.equal(['PROMOTED', 'ROLLED_BACK', 'BLOCKED']);
    const other = { ...statement, subject: statement.subject.slice(1) };
    const payload = Buffer.from(JSON.stringify(other)).toString('base64');
    expect(() => verifier.verify(entity({ ...envelope, payload }))).to.throw(/signature/);
  });

  it('opens with Python, and is the same on repeat and in other time zones', async () => {
    const listed = bash(
      space.dir,
      `python3 -c 'import zipfile; z = zipfile.ZipFile("ops-evidence.zip"); assert z.testzip() is None; print(sorted({i.date_time for i in z.infolist()}))'`,
    );
    expect(listed.code, listed.output).to.equal(0);
    expect(listed.output.trim()).to.equal('[(1980, 1, 1, 0, 0, 0)]');
    const again = await space.run(['export', '--from', '30d', '--out', 'again.zip'], {
      env: { TZ: 'Pacific/Kiritimati' },
    });
    expect(again.code, again.stderr).to.equal(0);
    expect(readFileSync(join(space.dir, 'again.zip')).equals(readFileSync(pack))).to.equal(true);
  });

  it('comes over HTTP as the demonstration has it, and is the same', async () => {
    await portFree(8766);
    const server = space.start(['serve']);
    try {
      await server.says(/http:\/\/127\.0\.0\.1:8766/);
      const demo = line(/^curl -O .*evidence\/export.*$/m);
      expect(demo).to.equal('curl -O "http://localhost:8766/evidence/export?from=30d"');
      const cwd = join(space.dir, 'download');
      mkdirSync(cwd);
      const fetched = bash(cwd, demo);
      expect(fetched.code, fetched.output).to.equal(0);
      const [file = ''] = readdirSync(cwd);
      copyFileSync(join(cwd, file), join(space.dir, 'fetched.zip'));
      expect(existsSync(join(space.dir, 'fetched.zip'))).to.equal(true);
      const { code, output } = follow(join(space.dir, 'fetched.zip'), 'fetched');
      expect(code, output).to.equal(0);
      expect(readFileSync(join(cwd, file)).equals(readFileSync(pack))).to.equal(true);
    } finally {
      server.child.kill('SIGTERM');
      await server.finished;
      rmSync(join(space.dir, 'download'), { recursive: true, force: true });
    }
  });
});
