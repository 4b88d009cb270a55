import type { ApiAnswer } from './parse.js';

/** Below, clocks are taken to agree, ms: an answer takes its time. */
const AGREE_MS = 10_000;

/**
 * By how much the clock of Prometheus is ahead of this one, ms; 0: they agree, or it does not say. Its samples have the times
 * of its clock, so how old they are is told by that.
 * @param asked and `answered`, by this clock, ms since the epoch
 */
export function aheadBy(answers: readonly ApiAnswer[], asked: number, answered: number): number {
  for (const answer of answers) {
    if (!answer.ok || answer.date === undefined) continue;
    const { date } = answer;
    // Whole seconds, cut off, at a moment between asking and the answer.
    const off = Math.round(date + 500 - (asked + answered) / 2);
    return Math.abs(off) <= AGREE_MS + (answered - asked) / 2 ? 0 : off;
  }
  return 0;
}

export function clockNote(ahead: number): string[] {
  if (ahead === 0) return [];
  const seconds = Math.round(Math.abs(ahead) / 1000);
  const which = ahead > 0 ? 'ahead of' : 'behind';
  return [`clock skew: the clock of Prometheus is ${seconds} s ${which} this one`];
}
