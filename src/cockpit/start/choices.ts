import type { Policy } from '../../lib/judge/index.js';
import { get } from '../ask.js';

interface Named {
  name: string | null;
  policy: Policy;
}

/** What a canary or a job can be started with, as the daemon knows it. */
export interface Choices {
  /** What the operator configured: limits may be tightened and added. Null: the form says all. */
  configured: Named | null;
  /** Of earlier canaries, newest first. */
  recorded: (Named & { id: string })[];
  gates: { gate: string; modelId: string | null }[];
  models: string[];
  tasks: { id: string; description: string }[];
  source: string;
  hooks: { promote: number; rollback: number };
}

export function choices(): Promise<Choices> {
  return get('/api/policies');
}
