import { type Clock, timestamp } from '../clock.js';
import { LukhasError } from '../errors.js';
import type { EventDraft, HookAction, Ledger, StoredEvent } from '../ledger/index.js';
import { byKind, type HookConfig } from './hook.js';
import type { HookCall, HookResult } from './hook-kind.js';
import { type GateLease, SLACK_MS, Tenure } from './tenure.js';

interface RunHooksOptions {
  ledger: Ledger;
  /** The list for this action, in order. */
  hooks: readonly HookConfig[];
  action: HookAction;
  /** Whose decision it is; empty for a promotion that no canary stands behind. */
  canaryId: string;
  /** Of a promotion apart from a canary's own: what records, key and lease go by, instead of the canary. */
  promotionId?: string;
  call: Omit<HookCall, 'action' | 'key' | 'canaryId' | 'promotionId' | 'attempt'>;
  clock: Clock;
  /** Where programs inherit from and signing secrets are read. */
  env: NodeJS.ProcessEnv;
  /** When given, every record demands that this holder has the lease, so that two drivers never both call. */
  holder?: string;
  /** When given, every record demands the lease of the gate that the hooks act on as well. */
  turn?: GateLease;
  /** What was called before this entry of the log does not count: all is called anew, under another key. */
  retryEpoch?: { seq: number; key: string };
  /** Stops the hook that runs; its intent stays open, and the next run repeats it. */
  signal?: AbortSignal;
  /** Uniform on [0, 1), for the spread of retries. */
  random?: () => number;
}

interface HookProgress {
  name: string;
  /** `pending`: an intent without a result, its call may or may not have happened. */
  state: 'none' | 'pending' | 'done' | 'failed';
  /** Calls intended so far. */
  attempts: number;
  /** Of the newest result. */
  detail: string | null;
}

/**
 * Runs the hooks of one action that have not yet succeeded, in order, up to the first failure. Each call is recorded
 * before it is made and after it ends: after a crash in between it is repeated with the same key.
 * @returns `failed`: name of the hook that failed
 * @throws LukhasError LEDGER_CONFLICT when `holder` lost the lease; the signal's reason when aborted
 */
export async function runHooks(options: RunHooksOptions): Promise<{ ok: boolean; failed: string | null }> {
  const { ledger, hooks, action, signal } = options;
  const events = await ledger.events({ subject: subjectOf(options), kinds: ['hook.intended', 'hook.finished'] });
  const { seq: since = 0 } = options.retryEpoch ?? {};
  const before = hookState(events, action, hooks).hooks;
  const counting = events.filter(({ seq }) => seq >= since);
  const progress = hookState(counting, action, hooks).hooks;
  for (const [index, hook] of hooks.entries()) {
    if (progress[index]?.state === 'done') continue;
    signal?.throwIfAborted();
    const { ok } = await recordedCall(options, hook, index, (before[index]?.attempts ?? 0) + 1);
    if (!ok) return { ok: false, failed: hook.name };
  }
  return { ok: true, failed: null };
}

/** The lease of whoever calls these must hold until the last of them has timed out, ms. */
export function longestMs(hooks: readonly HookConfig[]): number {
  return callsMs(hooks) + SLACK_MS;
}

function callsMs(hooks: readonly HookConfig[]): number {
  const seconds = hooks.map((hook) => byKind(hook, (kind, settings) => kind.longestSeconds(settings)));
  return seconds.reduce((a, b) => a + b, 0) * 1000;
}

/**
 * How far the hooks of an action are, read from the events of the canary or promotion. A hook is known by its name, so a list that was
 * mended between two runs skips exactly what has succeeded.
 * @returns state `done` when nothing is left to call (also when there are no hooks), `failed` when a newest result is a
 *   failure, `pending` when begun and not at its end, otherwise `none`
 */
export function hookState(
  events: readonly StoredEvent[],
  action: HookAction,
  hooks: readonly { name: string }[],
): { state: HookProgress['state']; hooks: HookProgress[] } {
  const progress = hooks.map(({ name }) => hookProgress(events, action, name));
  const some = (state: HookProgress['state']) => progress.some((hook) => hook.state === state);
  const state = progress.every((hook) => hook.state === 'done')
    ? 'done'
    : some('failed')
      ? 'failed'
      : some('pending') || some('done')
        ? 'pending'
        : 'none';
  return { state, hooks: progress };
}

function hookProgress(events: readonly StoredEvent[], action: HookAction, name: string): HookProgress {
  const progress: HookProgress = { name, state: 'none', attempts: 0, detail: null };
  for (const { kind, data } of events) {
    if (kind === 'hook.intended' && data.action === action && data.hook === name) {
      progress.attempts++;
      if (progress.state !== 'done') progress.state = 'pending';
    }
    if (kind === 'hook.finished' && data.action === action && data.hook === name && progress.state !== 'done') {
      progress.state = data.ok ? 'done' : 'failed';
      progress.detail = data.detail;
    }
  }
  return progress;
}

async function recordedCall(options: RunHooksOptions, hook: HookConfig, index: number, attempt: number) {
  const { ledger, clock, hooks, signal } = options;
  const longestMs = callsMs(hooks);
  const tenure = await Tenure.begin({ ledger, clock, leases: leasesOf(options), longestMs, signal });
  const { action, canaryId, promotionId } = options;
  const key = options.retryEpoch?.key ?? subjectOf(options);
  const facts = { action, hook: hook.name, index, attempt };
  await record(options, (base) => ({ ...base, kind: 'hook.intended', data: { ...facts, key } }));
  const ids = { canaryId, ...(promotionId === undefined ? {} : { promotionId }) };
  const result = await called(options, tenure, hook, { ...options.call, action, key, ...ids, attempt });
  await record(options, (base) => ({ ...base, kind: 'hook.finished', data: { ...facts, ...result } }));
  return result;
}

async function called(options: RunHooksOptions, tenure: Tenure, hook: HookConfig, call: HookCall): Promise<HookResult> {
  tenure.call();
  try {
    return await callHook({ ...options, clock: tenure.clock, signal: tenure.signal }, hook, call);
  } finally {
    tenure.end();
  }
}

function subjectOf({ promotionId, canaryId }: RunHooksOptions): string {
  return promotionId ?? canaryId;
}

async function record(
  options: RunHooksOptions,
  draft: (base: { subject: string; ts: string }) => EventDraft,
): Promise<void> {
  const event = draft({ subject: subjectOf(options), ts: timestamp(options.clock.now()) });
  await options.ledger.commit({ events: [event], expect: leasesOf(options) });
}

function leasesOf({ holder, turn, ...options }: RunHooksOptions): GateLease[] {
  const own = holder === undefined ? [] : [{ lease: subjectOf(options), holder }];
  return turn === undefined ? own : [turn, ...own];
}

/** A mistake in the configuration is a failed call like any other, so that the log shows why nothing happened. */
async function callHook(options: RunHooksOptions, hook: HookConfig, call: HookCall): Promise<HookResult> {
  const { clock, env, random = Math.random, signal } = options;
  const context = { clock, env, random, signal };
  try {
    return await byKind(hook, (kind, settings) => kind.call(settings, call, context));
  } catch (error) {
    if (error instanceof LukhasError && error.code === 'CONFIG')
      return { ok: false, detail: error.message, durationMs: 0 };
    throw error;
  }
}
