import { OutputTail, runProgram, withoutSecrets } from '../process/index.js';
import { DETAIL_BYTES, detailLine } from './detail.js';
import type { ExecHook, HookCall, HookResult } from './hook.js';

interface ExecOptions {
  /** What the program inherits, less the product's own secrets. */
  env: NodeJS.ProcessEnv;
  /** Further names that are not passed on. */
  withhold?: readonly string[];
  signal?: AbortSignal;
  /** Time between SIGTERM and SIGKILL. */
  graceMs?: number;
}

/**
 * Runs a program in a process group of its own and waits for its end. The call is in `LUKHAS_*` variables and, as
 * JSON, on standard input. Exit code 0 is success. On timeout the whole group gets SIGTERM, then SIGKILL.
 * @throws the signal's reason when aborted; the group is stopped first
 */
export async function runExecHook(config: ExecHook, call: HookCall, options: ExecOptions): Promise<HookResult> {
  const { signal, graceMs = 5000 } = options;
  const { command, timeoutSeconds, cwd } = config.exec;
  const tail = new OutputTail(DETAIL_BYTES);
  const end = await runProgram(command, {
    env: hookEnvironment(config, call, options),
    input: `${JSON.stringify(call)}\n`,
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

function hookEnvironment(config: ExecHook, call: HookCall, options: ExecOptions): NodeJS.ProcessEnv {
  return {
    ...withoutSecrets(options.env, options.withhold),
    ...config.exec.env,
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
