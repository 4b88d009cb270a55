import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LukhasError } from '../../../../src/lib/errors.js';
import type { KeptCheckpoint } from '../../../../src/lib/evidence/checkpoints/kept.js';
import { anchor } from '../../../../src/lib/evidence/publish/anchor.js';
import type { AnchorTarget } from '../../../../src/lib/evidence/publish/target.js';
import { ALICE } from '../signers.js';
import { GrownLog } from '../tree/grown-log.js';

const ORIGIN = 'example.com/canaries';
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

describe('anchors', function () {
  // Programs are started.
  this.timeout(20_000);
  let dir: string;
  let server: Server | null = null;
  let log: GrownLog;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-anchors-'));
    log = new GrownLog(ORIGIN, ALICE).grow(3);
  });
  afterEach(async () => {
    server?.closeAllConnections();
    server?.close();
    server = null;
    await rm(dir, { recursive: true, force: true });
  });

  const kept = async (): Promise<KeptCheckpoint> => ({ origin: ORIGIN, ...(await log.root()), note: log.note() });
  const env = () => ({ PATH: process.env['PATH'], HOME: dir, GIT_CONFIG_NOSYSTEM: '1' });
  const tell = async (target: AnchorTarget) =>
    anchor(target, await kept(), { now: () => NOW, env: env(), folder: join(dir, 'checkpoints') });
  const failure = async (target: AnchorTarget): Promise<LukhasError> => {
    const outcome: unknown = await tell(target).catch((error: unknown) => error);
    if (outcome instanceof LukhasError) return outcome;
    throw new Error(`did not fail: ${String(outcome)}`);
  };
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd: dir, env: env(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const serve = async (listener: RequestListener): Promise<string> => {
    server = createServer(listener).listen(0, '127.0.0.1');
    await new Promise((done) => server?.once('listening', done));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/path`;
  };
  const bodyOf = async (request: IncomingMessage) => Buffer.concat(await request.toArray());

  describe('a file', () => {
    it('gets a line for each checkpoint, and nothing of it is ever taken away', async () => {
      const path = join(dir, 'anchor.ndjson');
      await tell({ kind: 'file', path });
      await appendFile(path, '{"torn":');
      log.grow(2);
      await tell({ kind: 'file', path });
      const lines = (await readFile(path, 'utf8')).split('\n');
      expect(lines).to.have.length(4);
      expect(lines[1]).to.equal('{"torn":');
      const { root, ...rest } = await kept();
      const line = JSON.parse(lines[2]!) as object;
      expect(line).to.deep.equal({ ts: '2026-01-02T03:04:05.000Z', ...rest, root: root.toString('hex') });
      expect(JSON.parse(lines[0]!)).to.include({ size: 3, note: log.note(3) });
    });

    it('says so when it cannot be written', async () => {
      const error = await failure({ kind: 'file', path: join(dir, 'missing', 'anchor') });
      expect(error.code).to.equal('ANCHOR_FAILED');
      expect(error.message)
        .to.include(join(dir, 'missing', 'anchor'))
        .and.include('ENOENT');
    });
  });

  describe('git', () => {
    const file = 'example.com%2Fcanaries.checkpoint';
    let repository: string;
    const git = (...args: string[]) => run('git', '-C', repository, ...args);
    beforeEach(async () => {
      repository = join(dir, 'audit');
      await mkdir(repository);
      git('init', '--quiet');
      git('config', 'user.name', 'Auditor');
      git('config', 'user.email', 'auditor@example.com');
    });

    it('has a commit for each checkpoint, of its file alone', async () => {
      await writeFile(join(repository, 'other'), 'being worked on');
      git('add', 'other');
      expect(await tell({ kind: 'git', repository })).to.match(/^commit [0-9a-f]{7,}$/);
      expect(await tell({ kind: 'git', repository })).to.equal('already committed');
      log.grow(2);
      await tell({ kind: 'git', repository });
      expect(git('log', '--format=%s', '--reverse').trim().split('\n')).to.deep.equal([
        `Checkpoint of ${ORIGIN}: 3 entries, root ${(await log.root(3)).root.toString('hex')}`,
        `Checkpoint of ${ORIGIN}: 5 entries, root ${(await log.root(5)).root.toString('hex')}`,
      ]);
      expect(git('show', `HEAD:${file}`)).to.equal(log.note());
      expect(git('show', `HEAD~1:${file}`)).to.equal(log.note(3));
      expect(git('show', '--name-only', '--format=', 'HEAD~1').trim()).to.equal(file);
      expect(git('status', '--porcelain')).to.equal('A  other\n');
    });

    it('signs with an SSH key, so that git verifies the commit', async () => {
      const signingKey = join(dir, 'id');
      run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'log', '-f', signingKey);
      await tell({ kind: 'git', repository, signingKey });
      const publicKey = await readFile(`${signingKey}.pub`, 'utf8');
      await writeFile(join(dir, 'signers'), `auditor@example.com ${publicKey}`);
      git('-c', `gpg.ssh.allowedSignersFile=${join(dir, 'signers')}`, 'verify-commit', 'HEAD');
    });

    it('pushes', async () => {
      const remote = join(dir, 'remote.git');
      run('git', 'init', '--quiet', '--bare', remote);
      git('remote', 'add', 'origin', remote);
      git('config', 'push.autoSetupRemote', 'true');
      expect(await tell({ kind: 'git', repository, push: true })).to.match(/, pushed$/);
      expect(run('git', '-C', remote, 'log', '--all', '--format=%s')).to.include('3 entries');
    });

    it('says what git says when it fails', async () => {
      const error = await failure({ kind: 'git', repository: dir });
      expect(error.code).to.equal('ANCHOR_FAILED');
      expect(error.message).to.include(dir).and.include('not a git repository');
      const unsigned = await failure({ kind: 'git', repository, signingKey: join(dir, 'none') });
      expect(unsigned.message).to.include('git commit');
    });
  });

  describe('a webhook', () => {
    it('gets the note as it is', async () => {
      const got: [string | undefined, string][] = [];
      const url = await serve((request, response) => {
        void bodyOf(request).then((body) => {
          got.push([request.headers['content-type'], body.toString()]);
          response.writeHead(204).end();
        });
      });
      expect(await tell({ kind: 'webhook', url })).to.equal('accepted (204)');
      expect(got).to.deep.equal([['text/plain; charset=utf-8', log.note()]]);
    });

    it('has failed when it does not take it, or sends elsewhere', async () => {
      let status = 500;
      const url = await serve((_, response) => response.writeHead(status, { location: '/x' }).end('no room\nat all'));
      expect((await failure({ kind: 'webhook', url })).message).to.equal(`${url}: rejected: 500 no room`);
      status = 302;
      expect((await failure({ kind: 'webhook', url })).code).to.equal('ANCHOR_FAILED');
    });
  });

  describe('a time-stamping authority', () => {
    let caFile: string;
    /** An authority made of openssl, which answers to what was asked, or to something else. */
    const authority = (asked?: () => Promise<string>) =>
      serve((request, response) => {
        void (async () => {
          const query = join(dir, 'asked.tsq');
          await writeFile(query, await bodyOf(request));
          run(
            'openssl',
            'ts',
            '-reply',
            '-config',
            'tsa.cnf',
            '-queryfile',
            (await asked?.()) ?? query,
            '-out',
            'reply.tsr',
          );
          response.writeHead(200, { 'content-type': 'application/timestamp-reply' });
          response.end(await readFile(join(dir, 'reply.tsr')));
        })();
      });
    beforeEach(async () => {
      caFile = join(dir, 'tsa.crt');
      await writeFile(join(dir, 'serial'), '01\n');
      await writeFile(
        join(dir, 'tsa.cnf'),
        [
          '[req]',
          'distinguished_name=dn',
          'x509_extensions=ext',
          'prompt=no',
          '[dn]',
          'CN=A time-stamping authority',
          '[ext]',
          'extendedKeyUsage=critical,timeStamping',
          'basicConstraints=CA:TRUE',
          '[tsa]',
          'default_tsa=one',
          '[one]',
          'serial=serial',
          'signer_cert=tsa.crt',
          'certs=tsa.crt',
          'signer_key=tsa.key',
          'signer_digest=sha256',
          'default_policy=1.2.3.4',
          'digests=sha256',
          'ess_cert_id_chain=no',
          'ess_cert_id_alg=sha256',
        ].join('\n'),
      );
      selfSigned('tsa.key', 'tsa.crt');
    });

    const selfSigned = (key: string, certificate: string) => {
      const files = ['-keyout', key, '-out', certificate];
      run('openssl', 'req', '-x509', '-config', 'tsa.cnf', '-newkey', 'rsa:2048', '-nodes', ...files, '-days', '2');
    };

    it('gives a timestamp that openssl verifies by the signed text', async () => {
      const url = await authority();
      const name = `3.127.0.0.1_${new URL(url).port}.tsr`;
      expect(await tell({ kind: 'tsa', url, caFile })).to.equal(`saved as ${name}`);
      expect(await tell({ kind: 'tsa', url, caFile })).to.include('kept the older timestamp');
      await writeFile(join(dir, 'text'), `${log.note().split('\n\n')[0]}\n`);
      run('openssl', 'ts', '-verify', '-data', 'text', '-in', join('checkpoints', name), '-CAfile', 'tsa.crt');
      await writeFile(join(dir, 'text'), 'something else');
      expect(() =>
        run('openssl', 'ts', '-verify', '-data', 'text', '-in', join('checkpoints', name), '-CAfile', 'tsa.crt'),
      ).to.throw();
    });

    it('is not believed for another text or another signer, and nothing is kept', async () => {
      await mkdir(join(dir, 'checkpoints'));
      const url = await authority(async () => {
        await writeFile(join(dir, 'other'), 'another text');
        run('openssl', 'ts', '-query', '-sha256', '-cert', '-data', 'other', '-out', 'other.tsq');
        return 'other.tsq';
      });
      const replaced = await failure({ kind: 'tsa', url, caFile });
      expect(replaced.code).to.equal('VERIFICATION');
      server?.close();
      const honest = await authority();
      selfSigned('o.key', 'o.crt');
      const stranger = await failure({ kind: 'tsa', url: honest, caFile: join(dir, 'o.crt') });
      expect(stranger.code).to.equal('VERIFICATION');
      expect(await readdir(join(dir, 'checkpoints'))).to.deep.equal([]);
    });

    it('has failed when it refuses or is something else', async () => {
      const url = await serve((_, response) =>
        response.writeHead(200, { 'content-type': 'text/html' }).end('<p>hello'),
      );
      const error = await failure({ kind: 'tsa', url, caFile });
      expect(error.message).to.equal(`${url}: the answer is not a timestamp: 200 text/html <p>hello`);
    });
  });
});
