import { ERRORS, type ErrorCode, LukhasError, systemError } from '../../errors.js';

/** One line of the self-check. */
export interface Check {
  /** What was checked, e.g. `database`. */
  name: string;
  /** `skip`: it could not be checked, or there is nothing to check. */
  state: 'ok' | 'warn' | 'fail' | 'skip';
  detail: string;
  /** What to do. */
  advice?: string;
  /** Of one that failed. */
  code?: ErrorCode;
}

export type Found = Omit<Check, 'name'>;

export const ok = (detail: string): Found => ({ state: 'ok', detail });
export const skip = (detail: string): Found => ({ state: 'skip', detail });
export const warn = (detail: string, advice?: string): Found => ({
  state: 'warn',
  detail,
  ...(advice === undefined ? {} : { advice }),
});
export const fail = (code: ErrorCode, detail: string, advice?: string): Found => ({
  state: 'fail',
  detail,
  code,
  ...(advice === undefined ? {} : { advice }),
});

/** What was thrown, as a check that failed. @throws what is no error of ours or the system's: a bug */
export function failure(error: unknown): Found {
  const known = systemError(error);
  if (!(known instanceof LukhasError)) throw error;
  const [advice] = known.suggestions;
  return fail(known.code, known.message, advice);
}

/** Exit code of a self-check: that of the first failure. */
export function exitOf(checks: readonly Check[]): number {
  const first = checks.find(({ state }) => state === 'fail');
  return first === undefined ? 0 : ERRORS[first.code ?? 'CONFIG'].exit;
}
