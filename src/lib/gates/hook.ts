/** The hands: what is called when a canary is promoted or rolled back. `hook-schema.ts` makes these from a file. */

export interface ExecHook {
  name: string;
  exec: {
    /** Program and arguments, passed on as they are: no shell, no splitting, no substitution. */
    command: [string, ...string[]];
    timeoutSeconds: number;
    /** Added to what the program inherits. */
    env: Record<string, string>;
    cwd?: string;
  };
}

export interface WebhookHook {
  name: string;
  webhook: {
    /** http or https, without user name or password. */
    url: string;
    /** Environment variable that holds the signing secret; null: requests are not signed. */
    secretEnv: string | null;
    /** For each try. */
    timeoutSeconds: number;
    /** Tries after the first. */
    retries: number;
  };
}

export type HookConfig = ExecHook | WebhookHook;

/** Called in order; the first failure stops the rest. Names are unique within a list. */
export interface HooksConfig {
  promote: HookConfig[];
  rollback: HookConfig[];
}

/** What a hook is told. */
export interface HookCall {
  action: 'promote' | 'rollback';
  /** Idempotency key, the canary's id: the same in every repeated call, so that a receiver acts once. */
  key: string;
  canaryId: string;
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
  /** One line for the log: no control characters, at most about 4 KiB. */
  detail: string;
  durationMs: number;
}
