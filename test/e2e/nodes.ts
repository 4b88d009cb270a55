import { join } from 'node:path';
import { ROOT } from './lukhas.js';

/** Versions of Node.js from `npm ci` in test/e2e/nodes, and the one that the checkout brings. */
export type NodeVersion = '12' | '20' | '22.14' | '22' | '24' | '26';

/** @returns the program */
export function nodeOf(version: NodeVersion): string {
  const folder = version === '24' ? 'node_modules/node' : `test/e2e/nodes/node_modules/node-${version}`;
  return join(ROOT, folder, 'bin', 'node');
}
