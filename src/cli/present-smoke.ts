import type { CheckResult } from '../lib/smoke/index.js';
import { paint } from './present.js';
import { beside, type Styled } from './screen.js';

const SIGNS = { passed: ['✓', 'green'], failed: ['✗', 'red'], skipped: ['-', 'yellow'] } as const;

/** One line for one check. */
export function presentCheck({ name, state, detail }: CheckResult, noColor: boolean | undefined): Styled {
  const pen = paint(process.stdout, noColor);
  const [sign, color] = SIGNS[state];
  return beside(pen(sign, color), ` ${name.padEnd(18)} ${state === 'skipped' ? `skipped: ${detail}` : detail}`);
}
