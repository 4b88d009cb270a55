import { LukhasError } from '../errors.js';
import { checkPath, type Setting } from './change-policy.js';
import type { Sweep } from './result.js';

export type Axis = Sweep['axes'][number];

const MOST_CELLS = 10_000;

/**
 * Reads `PATH=FROM:TO:STEP` (both ends included) or `PATH=A,B,C`.
 * @returns the values in rising order, each once
 * @throws LukhasError USAGE
 */
export function parseAxis(text: string): Axis {
  const [, path, list] = /^\s*([^=\s]+)\s*=(.*)$/s.exec(text) ?? [];
  if (path === undefined || list === undefined) throw notAnAxis(text);
  checkPath(path, '--sweep');
  const values = list.includes(':') ? range(list, text) : list.split(',').map((part) => numberOf(part, text));
  return { path, values: [...new Set(values)].sort((a, b) => a - b) };
}

function range(list: string, text: string): number[] {
  const [from, to, step, ...more] = list.split(':').map((part) => numberOf(part, text));
  if (from === undefined || to === undefined || step === undefined || more.length > 0) throw notAnAxis(text);
  if (step <= 0 || to < from)
    throw new LukhasError('USAGE', `--sweep ${text}: FROM must not exceed TO, and STEP must be above 0`);
  // The last step reaches the end though 0.01 + 8 * 0.005 is not 0.05 in binary.
  const steps = Math.floor((to - from) / step + 1e-9);
  if (steps >= MOST_CELLS) throw tooMany(steps + 1);
  return Array.from({ length: steps + 1 }, (_, i) => Number((from + i * step).toPrecision(12)));
}

function numberOf(part: string, text: string): number {
  const value = Number(part);
  if (part.trim() === '' || !Number.isFinite(value)) throw notAnAxis(text);
  return value;
}

function notAnAxis(text: string): LukhasError {
  return new LukhasError(
    'USAGE',
    `--sweep ${JSON.stringify(text)}: must be KEY=FROM:TO:STEP or KEY=A,B,C with numbers, e.g. targets.max_error_rate=0.01:0.05:0.005`,
  );
}

function tooMany(count: number): LukhasError {
  return new LukhasError('USAGE', `--sweep: ${count} policies are too many (at most ${MOST_CELLS})`, {
    suggestions: ['Use larger steps or fewer axes.'],
  });
}

/** Every combination of the axes' values, the last axis fastest. @throws LukhasError USAGE */
export function combinations(axes: readonly Axis[]): number[][] {
  const count = axes.reduce((product, { values }) => product * values.length, 1);
  if (count > MOST_CELLS) throw tooMany(count);
  const twice = axes.find(({ path }, i) => axes.findIndex((axis) => axis.path === path) !== i);
  if (twice) throw new LukhasError('USAGE', `--sweep ${twice.path}: given twice; list all its values in one`);
  return axes.reduce<number[][]>(
    (all, { values }) => all.flatMap((begin) => values.map((value) => [...begin, value])),
    [[]],
  );
}

export function settingsAt(axes: readonly Axis[], values: readonly number[]): Setting[] {
  return axes.map(({ path }, i) => ({ path, value: values[i] }));
}
