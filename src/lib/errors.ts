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

/** Every error the product raises on purpose; `docs/errors.md` documents each one, and a test says so. */
export const ERROR_CODES = {
  USAGE: EXIT.usage,
  CONFIG: EXIT.usage,
  POLICY: EXIT.usage,
  PROMQL: EXIT.usage,
  OBSERVATION: EXIT.usage,
  NOT_FOUND: EXIT.usage,
  AMBIGUOUS_ID: EXIT.usage,
  ILLEGAL_TRANSITION: EXIT.usage,
  NO_EVIDENCE: EXIT.usage,
  APPROVAL_REFUSED: EXIT.usage,
  SOURCE_REFUSED: EXIT.source,
  SOURCE_INVALID: EXIT.source,
  SOURCE_UNREACHABLE: EXIT.source,
  LEDGER_BUSY: EXIT.internal,
  LEDGER_READ_ONLY: EXIT.usage,
  LEDGER_FULL: EXIT.internal,
  LEDGER_CORRUPT: EXIT.verification,
  LEDGER_TOO_NEW: EXIT.usage,
  LEDGER_UNAVAILABLE: EXIT.usage,
  LEDGER_CONFLICT: EXIT.internal,
  VERIFICATION: EXIT.verification,
  EXPORT_FAILED: EXIT.internal,
  ANCHOR_FAILED: EXIT.internal,
  LISTEN: EXIT.usage,
  DEMO: EXIT.internal,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

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
    this.exit = options.exit ?? ERROR_CODES[code];
    this.suggestions = options.suggestions ?? [];
  }
}
