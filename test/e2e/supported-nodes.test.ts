import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ROOT } from './lukhas.js';
import { nodeOf } from './nodes.js';

describe('every supported Node.js', () => {
  // npm writes the lock file without it, and compiles what has a binding.gyp and comes from a lock file: up to the npm
  // that comes with Node.js 22, `npm ci` would want Python and a compiler. Add `"gypfile": false` to the entry again.
  it('is enough for npm ci: the lock file keeps npm 10 from compiling better-sqlite3', () => {
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { gypfile?: boolean }>;
    };
    expect(packages['node_modules/better-sqlite3']).to.include({ gypfile: false });
  });

  for (const version of ['22.14', '22', '24', '26'] as const)
    it(`${version} collects the statements of 10,000 exports`, async () => {
      const script = join(ROOT, 'test/e2e/statements.cjs');
      const { stdout } = await promisify(execFile)(nodeOf(version), ['--expose-gc', script]);
      expect(stdout).to.equal('50000\n');
    });
});
