import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** What no daemon gets to: threads load what they run, and TypeScript's loader in tests alone; the self-check, init, observe, watch, backups and restoring are commands. */
const NOT_OF_A_DAEMON: readonly string[] = [
  'lib/threads/start.ts',
  'lib/app/doctor/',
  'lib/app/database/check-copy.ts',
  'lib/backup/',
  'lib/app/init/',
  'lib/app/watching/',
  'lib/metrics/requests/',
];

/** Modules that a file imports when they are used: a path in src, or the name of a package. */
function lazyImports(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  return [...text.matchAll(/\bimport\(\s*'([^']+)'/g)].map(([, name = '']) =>
    name.startsWith('.') ? relative(SRC, resolve(dirname(join(SRC, file)), name)) : name,
  );
}

describe('what a daemon loads before it listens', () => {
  it('is everything that the library and the daemon load when it is used', () => {
    const files = ['lib', 'daemon'].flatMap((folder) =>
      readdirSync(join(SRC, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(folder, name)),
    );
    const preloaded = lazyImports('daemon/preload.ts');
    const used = files
      .filter((file) => file !== 'daemon/preload.ts' && !NOT_OF_A_DAEMON.some((other) => file.startsWith(other)))
      .flatMap(lazyImports);
    expect(used.filter((name) => !preloaded.includes(name))).to.deep.equal([]);
    expect(preloaded.filter((name) => !used.includes(name))).to.deep.equal([]);
  });
});
