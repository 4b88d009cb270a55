import { basename } from 'node:path';
import { z } from 'zod';
import { isUrl } from '../input/index.js';
import { type HookConfig, type HooksConfig, WEBHOOK_URL } from './hook.js';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const NUL = '\0';

const timeout = (seconds: number) => z.number().positive().max(86_400).default(seconds);
const argument = z.string().refine((text) => !text.includes(NUL), 'contains a NUL character');

const exec = z.strictObject({
  command: z
    .array(argument, 'must be a list: the program, then its arguments')
    .refine(([file]) => file !== undefined && file !== '', 'must not be empty: the program is missing'),
  timeoutSeconds: timeout(60),
  env: z.record(z.string().regex(VARIABLE, 'must be the name of an environment variable'), argument).default({}),
  cwd: argument.min(1).optional(),
});

const webhook = z.strictObject({
  url: z.string().superRefine(isUrl(WEBHOOK_URL)),
  secretEnv: z
    .string()
    .regex(VARIABLE, 'must be the name of an environment variable, not the secret itself')
    .nullable()
    .default(null),
  timeoutSeconds: timeout(10),
  retries: z.number().int().min(0).max(10).default(3),
});

const hook = z
  .strictObject({
    name: z
      .string()
      .regex(NAME, 'must be at most 64 letters, digits and . _ : -, starting with a letter or digit')
      .optional(),
    exec: exec.optional(),
    webhook: webhook.optional(),
  })
  .refine((given) => (given.exec === undefined) !== (given.webhook === undefined), 'must have either exec or webhook');

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

/** A hook without a name gets its program's or host's, with a number when that is taken. */
function withNames(hooks: z.output<typeof hook>[]): HookConfig[] {
  const taken = new Set(hooks.flatMap(({ name }) => name ?? []));
  return hooks.map((given) => {
    const name = given.name ?? freeName(derivedName(given), taken);
    taken.add(name);
    return hookConfig(name, given);
  });
}

function hookConfig(name: string, given: z.output<typeof hook>): HookConfig {
  if (given.webhook !== undefined) return { name, webhook: given.webhook };
  const { command, timeoutSeconds, env, cwd } = given.exec!;
  const [file = '', ...args] = command;
  return { name, exec: { command: [file, ...args], timeoutSeconds, env, ...(cwd === undefined ? {} : { cwd }) } };
}

function derivedName({ exec, webhook }: z.output<typeof hook>): string {
  const text = webhook ? new URL(webhook.url).host : basename(exec?.command[0] ?? '');
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
