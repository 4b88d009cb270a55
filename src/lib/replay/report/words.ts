import type { Outcome } from '../result.js';
import { type Html, html } from './html.js';

export const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = {
  promote: 'promoted',
  rollback: 'rolled back',
  block: 'blocked',
  insufficient: 'unknown',
};
export const OUTCOMES = Object.keys(OUTCOME_WORDS) as Outcome[];

/** Letters beside the colours, for readers who cannot tell the colours apart. */
export const OUTCOME_LETTERS: Readonly<Record<Outcome, string>> = {
  promote: 'P',
  rollback: 'R',
  block: 'B',
  insufficient: 'U',
};

export function badge(outcome: Outcome): Html {
  return html`<span class="badge ${outcome}">${OUTCOME_LETTERS[outcome]} ${OUTCOME_WORDS[outcome]}</span>`;
}

/** The value of a policy's key, or that it is not set. */
export function setting(value: unknown): string {
  return value === null || value === undefined ? 'not set' : JSON.stringify(value);
}
