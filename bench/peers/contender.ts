import type { Trial } from '../canaries/scenarios.js';

export interface Outcome {
  /** `undecided`: the window ended and neither was justified. */
  decision: 'promoted' | 'rolled back' | 'undecided';
  /** From the start of the window to the verdict. */
  seconds: number;
}

/** A judge under comparison. */
export interface Contender {
  name: string;
  /** How it is configured, in one line. */
  settings: string;
  judge(trial: Trial): Outcome;
}
