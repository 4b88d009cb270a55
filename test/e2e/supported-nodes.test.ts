import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ROOT } from './lukhas.js';
import { nodeOf } from './nodes.js';

describe('every supported Node.js', () => {
  for (const version of ['22.14', '22', '24', '26'] as const)
    it(`${version} collects the statements of 10,000 exports`, async () => {
      const script = join(ROOT, 'test/e2e/statements.cjs');
      const { stdout } = await promisify(execFile)(nodeOf(version), ['--expose-gc', script]);
      expect(stdout).to.equal('50000\n');
    });
});
