import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { AnchorPlace, bodyOf, ORIGIN } from '../../lib/evidence/publish/place.js';

describe('anchors made by other programs', () => {
  let at: AnchorPlace;
  beforeEach(async () => {
    at = await AnchorPlace.make();
  });
  afterEach(() => at.remove());

  describe('git', () => {
    const file = 'example.com%2Fcanaries.checkpoint';
    let repository: string;
    const git = (...args: string[]) => at.run('git', '-C', repository, ...args);
    beforeEach(async () => {
      repository = join(at.dir, 'audit');
      await mkdir(repository);
      git('init', '--quiet');
      git('config', 'user.name', 'Auditor');
      git('config', 'user.email', 'auditor@example.com');
    });

    it('has a commit for each checkpoint, of its file alone', async () => {
      await writeFile(join(repository, 'other'), 'being worked on');
      git('add', 'other');
      expect(await at.tell({ kind: 'git', repository })).to.match(/^commit [0-9a-f]{7,}$/);
      expect(await at.tell({ kind: 'git', repository })).to.equal('already committed');
      at.log.grow(2);
      await at.tell({ kind: 'git', repository });
      expect(git('log', '--format=%s', '--reverse').trim().split('\n')).to.deep.equal([
        `Checkpoint of ${ORIGIN}: 3 entries, root ${(await at.log.root(3)).root.toString('hex')}`,
        `Checkpoint of ${ORIGIN}: 5 entries, root ${(await at.log.root(5)).root.toString('hex')}`,
      ]);
      expect(git('show', `HEAD:${file}`)).to.equal(at.log.note());
      expect(git('show', `HEAD~1:${file}`)).to.equal(at.log.note(3));
      expect(git('show', '--name-only', '--format=', 'HEAD~1').trim()).to.equal(file);
      expect(git('status', '--porcelain')).to.equal('A  other\n');
    });

    it('signs with an SSH key, so that git verifies the commit', async () => {
      const signingKey = join(at.dir, 'id');
      at.run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'log', '-f', signingKey);
      await at.tell({ kind: 'git', repository, signingKey });
      const publicKey = await readFile(`${signingKey}.pub`, 'utf8');
      await writeFile(join(at.dir, 'signers'), `auditor@example.com ${publicKey}`);
      git('-c', `gpg.ssh.allowedSignersFile=${join(at.dir, 'signers')}`, 'verify-commit', 'HEAD');
    });

    it('pushes', async () => {
      const remote = join(at.dir, 'remote.git');
      at.run('git', 'init', '--quiet', '--bare', remote);
      git('remote', 'add', 'origin', remote);
      git('config', 'push.autoSetupRemote', 'true');
      expect(await at.tell({ kind: 'git', repository, push: true })).to.match(/, pushed$/);
      expect(at.run('git', '-C', remote, 'log', '--all', '--format=%s')).to.include('3 entries');
    });

    it('says what git says when it fails', async () => {
      const error = await at.failure({ kind: 'git', repository: at.dir });
      expect(error.code).to.equal('ANCHOR_FAILED');
      expect(error.message).to.include(at.dir).and.include('not a git repository');
      const unsigned = await at.failure({ kind: 'git', repository, signingKey: join(at.dir, 'none') });
      expect(unsigned.message).to.include('git commit');
    });
  });

  describe('a time-stamping authority', () => {
    let caFile: string;
    /** An authority made of openssl, which answers to what was asked, or to something else. */
    const authority = (asked?: () => Promise<string>) =>
      at.serve((request, response) => {
        void (async () => {
          const query = join(at.dir, 'asked.tsq');
          await writeFile(query, await bodyOf(request));
          at.run(
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
          response.end(await readFile(join(at.dir, 'reply.tsr')));
        })();
      });
    beforeEach(async () => {
      caFile = join(at.dir, 'tsa.crt');
      await writeFile(join(at.dir, 'serial'), '01\n');
      await writeFile(
        join(at.dir, 'tsa.cnf'),
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
      at.run('openssl', 'req', '-x509', '-config', 'tsa.cnf', '-newkey', 'rsa:2048', '-nodes', ...files, '-days', '2');
    };

    it('gives a timestamp that openssl verifies by the signed text', async () => {
      const url = await authority();
      const name = `3.127.0.0.1_${new URL(url).port}.tsr`;
      expect(await at.tell({ kind: 'tsa', url, caFile })).to.equal(`saved as ${name}`);
      expect(await at.tell({ kind: 'tsa', url, caFile })).to.include('kept the older timestamp');
      await writeFile(join(at.dir, 'text'), `${at.log.note().split('\n\n')[0]}\n`);
      at.run('openssl', 'ts', '-verify', '-data', 'text', '-in', join('checkpoints', name), '-CAfile', 'tsa.crt');
      await writeFile(join(at.dir, 'text'), 'something else');
      expect(() =>
        at.run('openssl', 'ts', '-verify', '-data', 'text', '-in', join('checkpoints', name), '-CAfile', 'tsa.crt'),
      ).to.throw();
    });

    it('is not believed for another text or another signer, and nothing is kept', async () => {
      await mkdir(join(at.dir, 'checkpoints'));
      const url = await authority(async () => {
        await writeFile(join(at.dir, 'other'), 'another text');
        at.run('openssl', 'ts', '-query', '-sha256', '-cert', '-data', 'other', '-out', 'other.tsq');
        return 'other.tsq';
      });
      const replaced = await at.failure({ kind: 'tsa', url, caFile });
      expect(replaced.code).to.equal('VERIFICATION');
      const honest = await authority();
      selfSigned('o.key', 'o.crt');
      const stranger = await at.failure({ kind: 'tsa', url: honest, caFile: join(at.dir, 'o.crt') });
      expect(stranger.code).to.equal('VERIFICATION');
      expect(await readdir(join(at.dir, 'checkpoints'))).to.deep.equal([]);
    });

    it('has failed when it refuses or is something else', async () => {
      const url = await at.serve((_, response) =>
        response.writeHead(200, { 'content-type': 'text/html' }).end('<p>hello'),
      );
      const error = await at.failure({ kind: 'tsa', url, caFile });
      expect(error.message).to.equal(`${url}: the answer is not a timestamp: 200 text/html <p>hello`);
    });
  });
});
