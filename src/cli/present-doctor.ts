import type { Check } from '../lib/app/doctor/index.js';
import { advice as withFlags } from './advice.js';
import { paint } from './present.js';
import { beside, block, type Styled } from './screen.js';

const SIGNS = {
  ok: ['✓', 'green'],
  warn: ['!', 'yellow'],
  fail: ['✗', 'red'],
  skip: ['-', 'gray'],
} as const;

/** One line for a check, and one for what to do. */
export function presentDoctorCheck({ name, state, detail, advice }: Check, noColor: boolean | undefined): Styled {
  const pen = paint(process.stdout, noColor);
  const [sign, color] = SIGNS[state];
  const line = beside(pen(sign, color), ` ${name.padEnd(14)} ${detail}`);
  return advice === undefined ? line : block([line, `  ${' '.repeat(14)} ${withFlags(advice)}`]);
}
