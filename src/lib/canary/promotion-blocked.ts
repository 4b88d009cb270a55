import { LukhasError } from '../errors.js';

/**
 * Whether a promotion is kept back until somebody has mended the log, or what is compared with it: an entry that is not as
 * it was recorded, another history than the one that was signed, or a signed one that cannot be read.
 */
export function isPromotionBlocked(error: unknown): error is LukhasError {
  return error instanceof LukhasError && CODES.includes(error.code);
}

const CODES: readonly string[] = ['LEDGER_CORRUPT', 'LEDGER_TOO_NEW', 'VERIFICATION', 'CONFIG'];
