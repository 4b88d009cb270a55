#!/usr/bin/env node
// The same as `lukhas export`, with the same flags, from a checkout:
// node scripts/export_narratives.js --from 30d --out ops-evidence.zip
import { existsSync } from 'node:fs';
import { onSupportedNode } from '../bin/supported-node.js';

onSupportedNode(async () => {
  const main = new URL('../dist/main.js', import.meta.url);
  if (existsSync(main)) {
    const { execute } = await import(main.href);
    await execute({ args: ['export', ...process.argv.slice(2)], dir: import.meta.url });
  } else {
    process.stderr.write('lukhas: this checkout is not built yet\n  npm ci\n');
    process.exitCode = 2;
  }
});
