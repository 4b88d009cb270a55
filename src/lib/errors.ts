/** Exit codes of every command. Callers' scripts rely on them: docs/errors.md. */
export const EXIT = {
  done: 0,
  internal: 1,
  usage: 2,
  rolledBack: 3,
  blocked: 4,
  hookFailed: 5,
  source: 6,
  verification: 7,
  timeout: 8,
  flip: 9,
  aborted: 10,
} as const;

/**
 * Every error the product raises on purpose: the exit code of a command that it ends, and the status with which the daemon
 * answers a request over HTTP. `docs/errors.md` documents each one, and a test says so.
 */
export const ERRORS = {
  USAGE: { exit: EXIT.usage, status: 400 },
  CONFIG: { exit: EXIT.usage, status: 500 },
  POLICY: { exit: EXIT.usage, status: 400 },
  FIRST_LOOK: { exit: EXIT.usage, status: 409 },
  SHARED_SERIES: { exit: EXIT.usage, status: 409 },
  PROMQL: { exit: EXIT.usage, status: 400 },
  OBSERVATION: { exit: EXIT.usage, status: 400 },
  NOT_FOUND: { exit: EXIT.usage, status: 404 },
  AMBIGUOUS_ID: { exit: EXIT.usage, status: 404 },
  ILLEGAL_TRANSITION: { exit: EXIT.usage, status: 409 },
  NO_EVIDENCE: { exit: EXIT.usage, status: 409 },
  APPROVAL_REFUSED: { exit: EXIT.usage, status: 409 },
  SOURCE_REFUSED: { exit: EXIT.source, status: 502 },
  SOURCE_INVALID: { exit: EXIT.source, status: 502 },
  SOURCE_UNREACHABLE: { exit: EXIT.source, status: 502 },
  LEDGER_BUSY: { exit: EXIT.internal, status: 503 },
  LEDGER_READ_ONLY: { exit: EXIT.usage, status: 500 },
  LEDGER_FULL: { exit: EXIT.internal, status: 500 },
  LEDGER_CORRUPT: { exit: EXIT.verification, status: 500 },
  LEDGER_TOO_NEW: { exit: EXIT.usage, status: 500 },
  LEDGER_UNAVAILABLE: { exit: EXIT.usage, status: 500 },
  LEDGER_CONFLICT: { exit: EXIT.internal, status: 409 },
  VERIFICATION: { exit: EXIT.verification, status: 500 },
  EXPORT_FAILED: { exit: EXIT.internal, status: 500 },
  ANCHOR_FAILED: { exit: EXIT.internal, status: 500 },
  DAEMON_UNREACHABLE: { exit: EXIT.internal, status: 502 },
  DAEMON_REFUSED: { exit: EXIT.usage, status: 502 },
  LISTEN: { exit: EXIT.usage, status: 500 },
  STOPPED: { exit: EXIT.internal, status: 503 },
  DEMO: { exit: EXIT.internal, status: 500 },
  OUTPUT_LOST: { exit: EXIT.internal, status: 500 },
  SYSTEM: { exit: EXIT.internal, status: 500 },
} as const satisfies Record<string, { exit: number; status: number }>;

export type ErrorCode = keyof typeof ERRORS;

/** An error a user can act on: one line that says what and where, and what to do next. */
export class LukhasError extends Error {
  override readonly name = 'LukhasError';
  readonly code: ErrorCode;
  readonly exit: number;
  readonly suggestions: readonly string[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { suggestions?: readonly string[]; cause?: unknown; exit?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.exit = options.exit ?? ERRORS[code].exit;
    this.suggestions = options.suggestions ?? [];
  }
}

/** What the system refuses when it, or this process, has nothing left to give; and what to do. */
const EXHAUSTED: Readonly<Record<string, string>> = {
  EMFILE: 'Raise the limit of open files (ulimit -n, or LimitNOFILE of the service), then try again.',
  ENFILE: 'The system has no file descriptors left: stop programs or raise fs.file-max, then try again.',
  ENOMEM: 'The system has no memory left: stop programs, then try again.',
};

/**
 * What an error of the system means that can come from anywhere: no descriptors or memory left, the working directory deleted.
 * @returns a LukhasError SYSTEM or CONFIG; any other error as it is
 */
export function systemError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof LukhasError) return error;
  const { code = '', syscall, message } = error as NodeJS.ErrnoException;
  if (syscall === 'uv_cwd')
    return new LukhasError(
      'CONFIG',
      `the working directory cannot be used: it was deleted, or is not accessible (${code})`,
      {
        suggestions: ['Change to another directory, or give absolute paths, e.g. --db /srv/lukhas/lukhas.db.'],
        cause: error,
      },
    );
  const advice = EXHAUSTED[code];
  if (advice === undefined) return error;
  return new LukhasError('SYSTEM', `the system refused an operation: ${message}`, {
    suggestions: [advice],
    cause: error,
  });
}

/** What a disk has nothing left of, or fails at; and what to do. */
const DISK: Readonly<Record<string, string>> = {
  ENOSPC: 'Free space on that disk, then run the command again.',
  EDQUOT: 'Raise the quota or free space, then run the command again.',
  EIO: 'Check the health of that disk, then run the command again.',
};

/**
 * A file that cannot be written.
 * @param otherwise the code where the place is at fault (missing, read-only, of somebody else), not the system
 * @param what file and reason, in words
 * @returns SYSTEM where the disk is full or fails, or the system has nothing left
 */
export function cannotWrite(otherwise: 'CONFIG' | 'USAGE', what: string, cause: unknown): LukhasError {
  const { code = '' } = cause as NodeJS.ErrnoException;
  const advice = DISK[code] ?? EXHAUSTED[code];
  if (advice === undefined) return new LukhasError(otherwise, what, { cause });
  return new LukhasError('SYSTEM', what, { cause, suggestions: [advice] });
}

/** Whether something else has been recorded meanwhile, or the lease was lost: read the log again. */
export function isConflict(error: unknown): error is LukhasError {
  return error instanceof LukhasError && error.code === 'LEDGER_CONFLICT';
}
