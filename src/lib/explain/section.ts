import type { CanaryState } from '../ledger/index.js';
import { moment, oneLine } from './words.js';

/** A part of a narrative: the sentences of `prose` form a paragraph, those of a `list` one item each. */
export interface Section {
  heading: string;
  kind: 'prose' | 'list';
  /** One line each, of characters that can be seen. */
  sentences: string[];
}

/** What the log says about something, in words. */
export interface Narrative {
  id: string;
  about: 'canary' | 'model' | 'promotion' | 'job' | 'unknown';
  title: string;
  /** Of a canary; null for anything else. */
  state: CanaryState | null;
  /** Says nothing of what happened later, RFC 3339; null: all there is. */
  asOf: string | null;
  sections: Section[];
}

/** Every sentence passes here: what the log holds was written by others. Null without sentences. */
export function section(heading: string, kind: Section['kind'], sentences: readonly (string | null)[]): Section[] {
  const lines = sentences.flatMap((s) => (s === null ? [] : oneLine(s))).filter((s) => s !== '');
  return lines.length === 0 ? [] : [{ heading, kind, sentences: lines }];
}

/** The sentence about a name that the log does not know. */
export function unknownSentence(id: string, asOf: number | null): string {
  const then = asOf === null ? '' : ` as of ${moment(asOf)}`;
  return `${JSON.stringify(oneLine(id))} not found: no canary, promotion, job or model in this log has that name${then}.`;
}

/** Nothing in the log goes by this name. */
export function narrateUnknown(id: string, asOf: number | null): Narrative {
  return {
    id,
    about: 'unknown',
    state: null,
    title: unknownSentence(id, asOf),
    asOf: asOf === null ? null : new Date(asOf).toISOString(),
    sections: [],
  };
}
