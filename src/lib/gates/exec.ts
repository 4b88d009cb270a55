import { basename } from 'node:path';
import { z } from 'zod';
import { isPassEnv, OutputTail, programEnvironment, runProgram, whyNotStartable } from '../process/index.js';
import { DETAIL_BYTES, detailLine } from './detail.js';
import { type HookCall, type HookContext, type HookKind, type HookResult, timeout, VARIABLE } from './hook-kind.js';

const NUL = '\0';

const argument = z.string().refine((text) => !text.includes(NUL), 'contains a NUL character');

const schema = z.strictObject({
  /** Program and arguments, passed on as they are: no shell, no splitting, no substitution. */
  command: z
    .array(argument, 'must be a list: the program, then its arguments')
    .refine(([file]) => file !== undefined && file !== '', 'must not be empty: the program is missing'),
  timeoutSeconds: timeout(60),
  /** Added to what the program inherits. */
  env: z.record(z.string().regex(VARIABLE, 'must be the name of an environment variable'), argument).default({}),
  /** Variables of our own environment that it inherits besides the few that all programs do. */
  passEnv: z.array(z.string().superRefine(isPassEnv)).optional(),
  cwd: argument.min(1).optional(),
});

export type ExecSettings = z.output<typeof schema>;

export const exec: HookKind<ExecSettings> = {
  schema,
  nameOf: ({ command: [file = ''] }) => basename(file),
  longestSeconds: ({ timeoutSeconds }) => timeoutSeconds,
  // Run where their file is, so that `./promote.sh` means the same from every directory.
  placed: (settings, absolute) => ({ ...settings, cwd: absolute(settings.cwd ?? '.') }),
  // Where the child would find it: its own PATH, in its own folder.
  whyNotCallable: ({ command: [file = ''], cwd = '.', env, passEnv }, outer) =>
    whyNotStartable(file, cwd, { ...programEnvironment(outer, passEnv), ...env }),
  call,
};

/**
 * Runs a program in a process group of its own and waits for its end. The call is in `LUKHAS_*` variables and, as
 * JSON, on standard input. Exit code 0 is success. On timeout the whole group gets SIGTERM, then SIGKILL.
 * @throws the signal's reason when aborted; the group is stopped first
 */
async function call(settings: ExecSettings, told: HookCall, context: HookContext): Promise<HookResult> {
  const { signal, graceMs = 5000 } = context;
  const { command, timeoutSeconds, cwd } = settings;
  const tail = new OutputTail(DETAIL_BYTES);
  const end = await runProgram(command, {
    env: environment(settings, told, context),
    input: `${JSON.stringify(told)}\n`,
    cwd,
    timeoutSeconds,
    signal,
    graceMs,
    onOutput: (chunk) => tail.add(chunk),
  });
  signal?.throwIfAborted();
  return {
    ok: !end.timedOut && end.exitCode === 0,
    detail: detailLine(end.says, tail.end()),
    durationMs: end.durationMs,
  };
}

function environment({ env, passEnv }: ExecSettings, call: HookCall, context: HookContext): NodeJS.ProcessEnv {
  return {
    ...programEnvironment(context.env, passEnv),
    ...env,
    LUKHAS_ACTION: call.action,
    LUKHAS_IDEMPOTENCY_KEY: call.key,
    LUKHAS_CANARY_ID: call.canaryId,
    ...(call.promotionId === undefined ? {} : { LUKHAS_PROMOTION_ID: call.promotionId }),
    LUKHAS_MODEL_ID: call.modelId,
    LUKHAS_FROM_GATE: call.fromGate,
    LUKHAS_TO_GATE: call.toGate,
    LUKHAS_DECISION: call.decision,
    LUKHAS_REASON: call.reason,
    LUKHAS_CERTAINTY: call.certainty,
    LUKHAS_DECIDED_AT: call.decidedAt,
    LUKHAS_ATTEMPT: String(call.attempt),
  };
}
