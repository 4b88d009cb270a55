import { LukhasError } from '../../errors.js';

/**
 * The error for observations that do not match what their verdict commits to.
 * @param seq of the entry that decided the canary
 * @param problem completes "the observations of canary X ..."
 */
export function otherObservations({ seq, canaryId }: { seq: number; canaryId: string }, problem: string): LukhasError {
  return new LukhasError('LEDGER_CORRUPT', `Entry ${seq}: the observations of canary ${canaryId} ${problem}`, {
    suggestions: ['Run `lukhas verify --db PATH` to see what is damaged.'],
  });
}
