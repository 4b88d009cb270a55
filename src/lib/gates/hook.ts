import type { UrlRules } from '../input/index.js';

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

export const WEBHOOK_URL: UrlRules = {
  example: 'https://host/path',
  instead: 'sign the calls instead (secretEnv)',
};

export type HookConfig = ExecHook | WebhookHook;

/** Called in order; the first failure stops the rest. Names are unique within a list. */
export interface HooksConfig {
  promote: HookConfig[];
  rollback: HookConfig[];
}

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
