import { z } from 'zod';
import { byKind, HOOK_KINDS, type HookConfig, type HooksConfig } from './hook.js';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

const KINDS = Object.entries(HOOK_KINDS);

const hook = z
  .strictObject({
    name: z
      .string()
      .regex(NAME, 'must be at most 64 letters, digits and . _ : -, starting with a letter or digit')
      .optional(),
    ...Object.fromEntries(KINDS.map(([key, { schema }]) => [key, z.optional<z.ZodType>(schema)])),
  })
  .refine(
    (given: Record<string, unknown>) => KINDS.filter(([key]) => given[key] !== undefined).length === 1,
    `must have either ${KINDS.map(([key]) => key).join(' or ')}`,
  );

const hookList = z
  .array(hook)
  .default([])
  .superRefine((hooks, context) => {
    const names = hooks.flatMap(({ name }) => name ?? []);
    for (const name of names.filter((other, at) => names.indexOf(other) !== at)) {
      context.addIssue({ code: 'custom', message: `two hooks have the name ${name}; names must be unique` });
    }
  })
  .transform(withNames);

/** The `hooks` section of a configuration file; defaults filled in, names derived. Unknown keys are errors. */
export const hooksSchema = z.strictObject({ promote: hookList, rollback: hookList }) satisfies z.ZodType<HooksConfig>;

/** A hook without a name gets that of what it calls, with a number when that is taken. */
function withNames(hooks: z.output<typeof hook>[]): HookConfig[] {
  const taken = new Set(hooks.flatMap(({ name }) => name ?? []));
  return hooks.map((given) => {
    const name = given.name ?? freeName(derivedName(given), taken);
    taken.add(name);
    return { ...given, name } as HookConfig;
  });
}

function derivedName(given: object): string {
  const text = byKind(given as HookConfig, (kind, settings) => kind.nameOf(settings));
  return (
    text
      .replace(/[^A-Za-z0-9._:-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 60) || 'hook'
  );
}

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted;
  for (let n = 2; taken.has(name); n++) name = `${wanted}-${n}`;
  return name;
}
