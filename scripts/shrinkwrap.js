// Writes npm-shrinkwrap.json for the package that is being packed, so that whoever installs lukhas gets the packages it
// was tested with. It is package-lock.json without what only developers need: npm would install that too, in spite of
// its "dev" mark. Removed again after packing, because npm prefers it to package-lock.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
const packages = Object.fromEntries(Object.entries(lock.packages).filter(([, { dev }]) => dev !== true));
const { devDependencies, ...own } = packages[''];
const shrinkwrap = { ...lock, packages: { ...packages, '': own } };
writeFileSync(join(root, 'npm-shrinkwrap.json'), `${JSON.stringify(shrinkwrap, null, 2)}\n`);
