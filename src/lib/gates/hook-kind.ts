import { type ZodType, z } from 'zod';
import type { Clock } from '../clock.js';

/** What a hook is told. */
export interface HookCall {
  action: 'promote' | 'rollback';
  /**
   * Idempotency key, the promotion's id, else the canary's: the same in every repeated call, so that a receiver acts once.
   * `<canary's id>/2`, `/3`, ... when all is called anew because another model has entered the gate in between.
   */
  key: string;
  /** Whose decision this is; empty for a promotion that no canary stands behind. */
  canaryId: string;
  /** Only of a promotion that somebody asked for apart from a canary's own. */
  promotionId?: string;
  modelId: string;
  fromGate: string;
  toGate: string;
  decision: string;
  reason: string;
  certainty: string;
  /** RFC 3339 UTC. */
  decidedAt: string;
  /** 1 for the first recorded call of this hook. */
  attempt: number;
}

export interface HookResult {
  ok: boolean;
  /** One line for the log: at most about 4 KiB. */
  detail: string;
  durationMs: number;
}

/** What a call may use besides its own settings. */
export interface HookContext {
  clock: Clock;
  /** Where secrets are read, and what programs inherit the least of. */
  env: NodeJS.ProcessEnv;
  /** Uniform on [0, 1): spreads the retries of many senders. */
  random: () => number;
  signal?: AbortSignal | undefined;
  /** Between SIGTERM and SIGKILL for a program that is stopped, ms; 5000. */
  graceMs?: number;
}

/** Everything that differs between the kinds of hooks. */
export interface HookKind<Settings> {
  /** What stands in the configuration under the key of the kind; fills in defaults. */
  schema: ZodType<Settings>;
  /** What a hook without a name is called after. */
  nameOf(settings: Settings): string;
  /** The longest that a call takes, with all its tries. */
  longestSeconds(settings: Settings): number;
  /** Environment variables that must hold its secrets. */
  secretNames?(settings: Settings): readonly string[];
  /** What is wrong with the values of those variables, which are set, without repeating them. @throws LukhasError CONFIG */
  checkSecrets?(settings: Settings, env: NodeJS.ProcessEnv): void;
  /** Why it could not be called, found out without calling it; null where it could, as far as one can see. */
  whyNotCallable?(settings: Settings, env: NodeJS.ProcessEnv): Promise<string | null>;
  /** The same with absolute paths; relative ones are relative to the configuration file. */
  placed?(settings: Settings, absolute: (path: string) => string): Settings;
  /** @throws the signal's reason when aborted; LukhasError CONFIG, which is recorded as a failed call */
  call(settings: Settings, call: HookCall, context: HookContext): Promise<HookResult>;
}

/** Fields that several kinds have: a time limit in seconds, and what names an environment variable. */
export const timeout = (seconds: number) => z.number().positive().max(86_400).default(seconds);
export const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
