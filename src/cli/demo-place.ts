import type { Config } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';

/**
 * A demo judges made-up traffic, and what it decides changes gates and calls hooks. So it is not run where real ones are
 * configured.
 * @throws LukhasError USAGE when a source or hooks are configured
 */
export function requireDemoPlace({ source, hooks, files }: Config): void {
  const real = [
    ...(source.kind === 'none' ? [] : [`a ${source.kind} source`]),
    ...(hooks.promote.length + hooks.rollback.length === 0 ? [] : ['hooks']),
  ];
  if (real.length === 0) return;
  const where = files[0] === undefined ? 'the environment' : files.join(' with ');
  throw new LukhasError(
    'USAGE',
    `The demo must not run with real settings: ${where} configures ${real.join(' and ')}`,
    {
      suggestions: [
        'Run it in an empty folder, without PROM_* in the environment.',
        'Or drop the demo option to measure the configured source.',
      ],
    },
  );
}
