import { exec } from './exec.js';
import type { HookKind } from './hook-kind.js';
import { webhook } from './webhook.js';

/** The kinds of hooks by their key in the configuration. Another one is a module like these and a line here. */
export const HOOK_KINDS = { exec, webhook };

type Kinds = typeof HOOK_KINDS;
type SettingsOf<Kind> = Kind extends HookKind<infer Settings> ? Settings : never;

/** `{ name, exec: {...} }` or `{ name, webhook: {...} }`: a name, and the settings under the key of the kind. */
export type HookConfig = { [Key in keyof Kinds]: { name: string } & Record<Key, SettingsOf<Kinds[Key]>> }[keyof Kinds];

/** Called in order; the first failure stops the rest. Names are unique within a list. */
export interface HooksConfig {
  promote: HookConfig[];
  rollback: HookConfig[];
}

/** Asks the kind of a hook. The name plays no part in it. */
export function byKind<Answer>(
  hook: Omit<HookConfig, 'name'>,
  ask: <Settings>(kind: HookKind<Settings>, settings: Settings, key: string) => Answer,
): Answer {
  for (const [key, kind] of Object.entries(HOOK_KINDS)) {
    const settings = (hook as Record<string, unknown>)[key];
    if (settings !== undefined) return ask(kind as HookKind<unknown>, settings, key);
  }
  throw new TypeError(`a hook of no known kind: ${Object.keys(hook).join(', ')}`);
}

/** Environment variables that must hold the hook's secrets. */
export function secretNames(hook: HookConfig): readonly string[] {
  return byKind(hook, (kind, settings) => kind.secretNames?.(settings) ?? []);
}

/** Checks the values of those variables, which are set. @throws LukhasError CONFIG: the variable, never its value */
export function checkSecrets(hook: HookConfig, env: NodeJS.ProcessEnv): void {
  byKind(hook, (kind, settings) => kind.checkSecrets?.(settings, env));
}

/** Why a hook could not be called, found out without calling it; null: nothing is known to be wrong. */
export async function whyNotCallable(hook: HookConfig, env: NodeJS.ProcessEnv): Promise<string | null> {
  return byKind(hook, async (kind, settings) => (await kind.whyNotCallable?.(settings, env)) ?? null);
}

/** The hooks of a configuration file, their paths made absolute. */
export function placedHooks(hooks: HooksConfig, absolute: (path: string) => string): HooksConfig {
  const placed = (hook: HookConfig): HookConfig =>
    byKind(hook, (kind, settings, key) => ({ ...hook, [key]: kind.placed?.(settings, absolute) ?? settings }));
  return { promote: hooks.promote.map(placed), rollback: hooks.rollback.map(placed) };
}
