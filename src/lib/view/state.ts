import type { CanaryState } from '../ledger/index.js';

/** What a colour says; every tone has an icon and a word beside it. */
export type Tone = 'good' | 'warn' | 'bad' | 'active' | 'idle';

export interface StateLook {
  icon: string;
  /** As text has it: ROLLED BACK. */
  word: string;
  tone: Tone;
}

const LOOKS: Readonly<Record<CanaryState, StateLook>> = {
  PENDING: { icon: '○', word: 'PENDING', tone: 'active' },
  RUNNING: { icon: '●', word: 'RUNNING', tone: 'active' },
  PROMOTED: { icon: '✓', word: 'PROMOTED', tone: 'good' },
  ROLLED_BACK: { icon: '✗', word: 'ROLLED BACK', tone: 'bad' },
  BLOCKED: { icon: '■', word: 'BLOCKED', tone: 'warn' },
  ABORTED: { icon: '⊘', word: 'ABORTED', tone: 'idle' },
  FAILED: { icon: '!', word: 'FAILED', tone: 'bad' },
};

const JOB_LOOKS: Readonly<Record<string, StateLook>> = {
  queued: { icon: '○', word: 'queued', tone: 'active' },
  running: { icon: '●', word: 'running', tone: 'active' },
  completed: { icon: '✓', word: 'completed', tone: 'good' },
  failed: { icon: '✗', word: 'failed', tone: 'bad' },
};

export function stateLook(state: CanaryState): StateLook {
  return LOOKS[state];
}

export function jobLook(state: string): StateLook {
  return JOB_LOOKS[state] ?? { icon: '?', word: state, tone: 'idle' };
}
