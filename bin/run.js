#!/usr/bin/env node
import { onSupportedNode } from './supported-node.js';

onSupportedNode(async () => {
  const { execute } = await import('../dist/main.js');
  await execute({ dir: import.meta.url });
});
