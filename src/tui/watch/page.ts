import type { Deed } from '../../lib/app/watching/index.js';
import type { Tone } from '../../lib/view/index.js';

/** What is open. `top`: first line that is shown; Infinity: the end, also as it grows. */
export type Page =
  | { kind: 'list' }
  | { kind: 'canary'; id: string; part: Part; top: number }
  | { kind: 'job'; id: string };

export type Part = 'all' | 'why' | 'math';

/** What is being typed. */
export type Typing =
  | { kind: 'filter'; text: string }
  | { kind: 'reason'; deed: Deed; id: string; text: string; problem: string | null };

/** The newest thing that is said to whoever watches. */
export interface Message {
  text: string;
  tone: Tone;
}

interface DeedWords {
  /** `Abort`. */
  verb: string;
  /** What it does. */
  effect: string;
  doing: string;
}

export const DEEDS: Readonly<Record<Deed, DeedWords>> = {
  abort: { verb: 'Abort', effect: 'it is stopped; no gate changes', doing: 'aborting' },
  promote: { verb: 'Promote', effect: 'by hand, against or before the verdict', doing: 'promoting' },
  approve: { verb: 'Approve', effect: 'the promotion goes ahead once all approvals are given', doing: 'approving' },
  reject: { verb: 'Reject', effect: 'it is not promoted', doing: 'rejecting' },
};
