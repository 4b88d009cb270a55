import type { CheckResult } from '../lib/smoke/index.js';
import { paint } from './present.js';

const SIGNS = { passed: ['✓', 'green'], failed: ['✗', 'red'], skipped: ['-', 'yellow'] } as const;

/** One line for one check. What a server answered comes from outside: only printable characters reach the terminal. */
export function presentCheck({ name, state, detail }: CheckResult, noColor: boolean | undefined): string {
  const chalk = paint(process.stdout, noColor);
  const [sign, color] = SIGNS[state];
  const said = detail.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ');
  return `${chalk[color](sign)} ${name.padEnd(18)} ${state === 'skipped' ? `skipped: ${said}` : said}`;
}
