import { LukhasError } from '../../errors.js';

/** The error for evidence that is invalid or cannot be read; `what` begins with the name of the part. */
export function refused(what: string, cause?: unknown): LukhasError {
  return new LukhasError('VERIFICATION', what, cause === undefined ? {} : { cause });
}
