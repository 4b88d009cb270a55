#!/usr/bin/env node
// The same as `lukhas replay`, with the same flags, from a checkout:
// node tools/replay_window.js --from ... --to ... --model ... --policy configs/slo-prod.json --report replay-1400.html
import { existsSync } from 'node:fs';
import { onSupportedNode } from '../bin/supported-node.js';

onSupportedNode(async () => {
  const main = new URL('../dist/main.js', import.meta.url);
  if (existsSync(main)) {
    const { execute } = await import(main.href);
    await execute({ args: ['replay', ...process.argv.slice(2)], dir: import.meta.url });
  } else {
    process.stderr.write('lukhas: this checkout is not built yet\n  npm ci\n');
    process.exitCode = 2;
  }
});
