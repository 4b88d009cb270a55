import { LukhasError } from '../../errors.js';

/**
 * The observations of a canary are not what its verdict commits to.
 * @param seq of the entry that decides it
 * @param are what is wrong with them
 */
export function otherObservations({ seq, canaryId }: { seq: number; canaryId: string }, are: string): LukhasError {
  return new LukhasError(
    'LEDGER_CORRUPT',
    `The observations of canary ${canaryId} are ${are} that entry ${seq} of the log was decided by`,
    { suggestions: ['See what is damaged with `lukhas verify --db`.'] },
  );
}
