import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { whyNotStartable } from '../../../src/lib/process/index.js';

describe('whether a program could be started', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'lukhas-program-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const script = (name: string, text: string, mode = 0o755): void => {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), mode);
  };

  it('is asked of the folder that it runs in, and of the PATH that it gets', async () => {
    mkdirSync(join(folder, 'bin'));
    script('bin/deploy', '#!/bin/sh\n');
    expect(await whyNotStartable('bin/deploy', folder, {})).to.equal(null);
    expect(await whyNotStartable('deploy', folder, { PATH: `/nonexistent:${join(folder, 'bin')}` })).to.equal(null);
    expect(await whyNotStartable('deploy', folder, { PATH: '/nonexistent' })).to.equal('command not found: "deploy"');
    expect(await whyNotStartable('./deploy', folder, {})).to.equal(
      `command not found: "./deploy" (${join(folder, 'deploy')})`,
    );
    expect(await whyNotStartable('deploy', join(folder, 'gone'), {})).to.match(/^no such directory: /);
  });

  it('is denied for a file that may not be run, and for a folder', async () => {
    script('plain', '#!/bin/sh\n', 0o644);
    expect(await whyNotStartable('./plain', folder, {})).to.match(
      /^not allowed to run "\.\/plain" .*: is it executable\?$/,
    );
    mkdirSync(join(folder, 'folder'));
    expect(await whyNotStartable('./folder', folder, {})).to.match(/^not allowed to run/);
  });

  it('is denied for a script whose interpreter is not there, or whose lines end as on Windows', async () => {
    script('python', '#!/no/such/python3\n');
    expect(await whyNotStartable('./python', folder, {})).to.match(
      /its first line names "\/no\/such\/python3", which cannot be run$/,
    );
    script('windows', '#!/bin/sh\r\necho\r\n');
    expect(await whyNotStartable('./windows', folder, {})).to.match(/its first line ends with a carriage return/);
    script('words', '#! /bin/sh -e\n');
    expect(await whyNotStartable('./words', folder, {})).to.equal(null);
    script('none', 'echo\n');
    expect(await whyNotStartable('./none', folder, {})).to.equal(null);
  });
});
