import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseTrustedKeys } from '../../../src/lib/evidence/keys/trust.js';
import { onlyDocument, Workspace } from '../lukhas.js';

describe('lukhas keys', () => {
  let at: Workspace;

  beforeEach(() => {
    at = new Workspace();
  });
  afterEach(() => at.remove());

  it('init makes both keys, tells the public ones, and keeps them the next time', async () => {
    const first = await at.run(['keys', 'init']);
    expect(first.code, first.stderr).to.equal(0);
    for (const role of ['log', 'export']) {
      const path = join(at.dir, 'keys', `${role}.pem`);
      expect(first.stdout).to.include(`created  ${role} key  ${path}\n`);
      expect(statSync(path).mode & 0o777).to.equal(0o600);
      const secret = readFileSync(path, 'utf8').split('\n')[1]!;
      expect(first.stdout + first.stderr).to.not.include(secret);
    }
    const second = await at.run(['keys', 'init']);
    expect(second.stdout.replaceAll('exists  ', 'created  ')).to.equal(first.stdout);
    // Keys are no reason to make a database.
    expect(existsSync(at.db)).to.equal(false);
  });

  it('show prints forms that verifiers read', async () => {
    await at.run(['keys', 'init']);
    const { keys } = onlyDocument(await at.run(['keys', 'show', '--json'])) as {
      keys: { fingerprint: string }[];
    };
    const fingerprints = keys.map(({ fingerprint }) => fingerprint);
    for (const form of ['pem', 'ssh']) {
      const { stdout } = await at.run(['keys', 'show', '--form', form]);
      expect(parseTrustedKeys(stdout, form, 0).map(({ fingerprint }) => fingerprint)).to.deep.equal(fingerprints);
    }
    const vkey = await at.run(['keys', 'show', '--form', 'vkey']);
    expect(parseTrustedKeys(vkey.stdout, 'vkey', 0)[0]?.fingerprint).to.equal(fingerprints[0]);
    const signers = await at.run(['keys', 'show', '--form', 'allowed-signers', '--role', 'export']);
    expect(parseTrustedKeys(signers.stdout, 'signers', 0)[0]?.fingerprint).to.equal(fingerprints[1]);
  });

  it('show says what is missing, and what a key does not have', async () => {
    const none = await at.run(['keys', 'show']);
    expect(none.code).to.equal(2);
    expect(none.stderr).to.include('key not found').and.include('lukhas keys init');
    await at.run(['keys', 'init']);
    const wrong = await at.run(['keys', 'show', '--role', 'log', '--form', 'allowed-signers']);
    expect(wrong.code).to.equal(2);
    expect(wrong.stderr).to.include('--form allowed-signers: not available for the log key');
  });
});
