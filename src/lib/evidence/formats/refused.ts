import { LukhasError } from '../../errors.js';

/** The error for evidence that does not hold or cannot be read; `what` begins with what was looked at. */
export function refused(what: string, cause?: unknown): LukhasError {
  return new LukhasError('VERIFICATION', what, cause === undefined ? {} : { cause });
}
