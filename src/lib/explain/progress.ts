import type { Verdict } from '../judge/index.js';
import { objectiveLine } from './objective-lines.js';
import { odds, seconds } from './words.js';

/** One line on how a canary stands; pure. */
export function progressLine(verdict: Verdict, windowSeconds: number): string {
  const short = verdict.objectives.map((o) => objectiveLine(o).replace(/, between [^;)]*/, '')).join(' | ');
  const bet = `bet against it ${odds(verdict.evidence.logE)}`;
  return `${seconds(verdict.elapsedSeconds)} of ${seconds(windowSeconds)}: ${short} | ${bet}`;
}
