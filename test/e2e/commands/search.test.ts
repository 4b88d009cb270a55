import { execFile } from 'node:child_process';
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Canaries } from '../../../src/lib/canary/canaries.js';
import { systemClock } from '../../../src/lib/clock.js';
import { parsePolicy } from '../../../src/lib/judge/policy-schema.js';
import { openLedger } from '../../../src/lib/ledger/sqlite/ledger.js';
import { ROOT, Workspace } from '../lukhas.js';

/** Root may write everything: somebody else is asked to search. */
const NOBODY = process.geteuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

describe('lukhas search', () => {
  let workspace: Workspace;
  beforeEach(() => {
    workspace = new Workspace();
  });
  afterEach(async () => {
    await chmod(workspace.dir, 0o755);
    await workspace.remove();
  });

  it('reads a database that may not be written', async () => {
    const { dir, db } = workspace;
    const ledger = await openLedger(db);
    const { id } = await new Canaries(ledger, systemClock()).start({
      modelId: 'fraud-v2',
      fromGate: 'stage',
      toGate: 'production',
      policy: parsePolicy({ windowSeconds: 60, targets: { max_error_rate: 0.02 } }),
      source: { kind: 'none' },
      dryRun: false,
      by: { who: 'ana', how: 'os-user' },
    });
    await ledger.close();
    await chmod(db, 0o444);
    await chmod(dir, 0o555);
    const lukhas = (...args: string[]) =>
      promisify(execFile)(process.execPath, [join(ROOT, 'bin', 'run.js'), ...args, '--db', db, '--json'], {
        cwd: dir,
        env: { HOME: dir },
        ...NOBODY,
      });
    const { results } = JSON.parse((await lukhas('search', id)).stdout) as { results: { id: string }[] };
    expect(results[0]?.id).to.equal(`canary:${id}`);
    const refused = await lukhas('job', 'run', 'probe').catch((error: { stdout: string }) => error);
    const { error } = JSON.parse(refused.stdout) as { error: { code: string; message: string } };
    expect(error.code).to.equal('LEDGER_READ_ONLY');
    expect(error.message).to.contain('(EACCES: permission denied, access ');
    expect((await readdir(dir)).sort()).to.deep.equal(['home', 'lukhas.db']);
  });
});
