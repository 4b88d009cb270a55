import type { Clock } from '../../clock.js';
import type { Actor } from '../../ledger/index.js';
import type { Config } from '../config.js';

export interface RestoreRequest {
  config: Config;
  clock: Clock;
  by: Actor;
  /** The encrypted copy. */
  file: string;
  /** File of the secret key. */
  identity: string;
  /** Checkpoint that the copy has to continue; null: the one beside it, if there is one. */
  checkpoint: string | null;
  /** Files of public keys that the user trusts to sign checkpoints. */
  trust: readonly string[];
  /** Also replaces a log that has entries the copy lacks, or was signed with more than it has. */
  older: boolean;
}
