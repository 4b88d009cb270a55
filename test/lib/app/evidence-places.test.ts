import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '../../../src/lib/app/config.js';
import { checkpointFolder } from '../../../src/lib/app/evidence-places.js';
import { initKeys } from '../../../src/lib/app/signing-keys.js';

describe('keys and checkpoints of databases in one folder', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await realpath(await mkdtemp(join(tmpdir(), 'lukhas-places-')));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const configOf = (name: string, env = {}) =>
    loadConfig({ cwd: dir, env: { HOME: dir, LUKHAS_MCP_DB: name, ...env } });

  it('are beside the first one, and the second has its own', async () => {
    const first = await configOf('a.db');
    expect(first.keys.log).to.equal(join(dir, 'keys/log.pem'));
    await initKeys(first);
    const second = await configOf('b.db');
    expect([second.keys.log, second.keys.export, checkpointFolder(second)]).to.deep.equal([
      join(dir, 'b.db.keys/log.pem'),
      join(dir, 'b.db.keys/export.pem'),
      join(dir, 'b.db.checkpoints'),
    ]);
    const made = await initKeys(second);
    expect(made.map(({ created }) => created)).to.deep.equal([true, true]);
    expect(await readFile(second.keys.log, 'utf8')).to.not.equal(await readFile(first.keys.log, 'utf8'));
    // Asked again, each has what it had.
    const again = await configOf('a.db');
    expect([again.keys.log, checkpointFolder(again)]).to.deep.equal([first.keys.log, join(dir, 'checkpoints')]);
  });

  it('are the same where nobody says whose they are: made by older versions, or put there', async () => {
    await initKeys(await configOf('a.db'));
    await rm(join(dir, 'keys/database'));
    expect((await configOf('b.db')).keys.log).to.equal(join(dir, 'keys/log.pem'));
    expect(checkpointFolder({ dbPath: join(dir, 'b.db') })).to.equal(join(dir, 'checkpoints'));
  });

  it('do not change which keys are used when their files are named', async () => {
    await initKeys(await configOf('a.db'));
    await writeFile(join(dir, 'mine.pem'), '');
    const named = await configOf('b.db', { LUKHAS_LOG_KEY_FILE: 'mine.pem' });
    expect(named.keys.log).to.equal(join(dir, 'mine.pem'));
  });
});
