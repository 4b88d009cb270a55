import type { Ledger, StoredEvent } from '../ledger/index.js';

/** What the configuration says of the database as a file. */
export interface DatabaseConfig {
  maintenance: {
    /** Whether the daemon does it. */
    enabled: boolean;
    /** The hour (UTC) in which the daemon does it, 0-23. */
    hour: number;
  };
  retention: {
    /** Observations of canaries that ended longer ago are pruned. */
    observationDays: number;
  };
  backup: {
    /** Public keys of those who can decrypt copies: `age1…`. */
    recipients: readonly string[];
    /** Folder for copies; null: none. */
    to: string | null;
    /** Program that is given each copy on standard input; null: none. */
    command: readonly string[] | null;
    /** Variables that the program inherits besides the few that all programs do. */
    passEnv: readonly string[];
    /** How many copies of a log a folder keeps. */
    keep: number;
  };
}

export const DEFAULT_DATABASE_CONFIG: DatabaseConfig = {
  maintenance: { enabled: true, hour: 3 },
  retention: { observationDays: 30 },
  backup: { recipients: [], to: null, command: null, passEnv: [], keep: 14 },
};

/** Subject of the entries about the file itself. */
export const DATABASE_SUBJECT = 'database';
export const LAST_KINDS = ['maintenance.finished', 'backup.made', 'backup.restored'] as const;

/** The newest entry of a kind about the file; null: there is none. */
export async function lastOf<K extends (typeof LAST_KINDS)[number]>(
  ledger: Pick<Ledger, 'events'>,
  kind: K,
): Promise<Extract<StoredEvent, { kind: K }> | null> {
  const [event] = await ledger.events({ subject: DATABASE_SUBJECT, kinds: [kind], limit: 1, newest: true });
  return (event as Extract<StoredEvent, { kind: K }> | undefined) ?? null;
}
