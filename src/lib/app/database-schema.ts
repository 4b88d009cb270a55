import * as z from 'zod';
import { type DatabaseConfig, DEFAULT_DATABASE_CONFIG } from './database-settings.js';

const { maintenance, retention, backup } = DEFAULT_DATABASE_CONFIG;

/** `database` in a configuration file. */
export const databaseSchema = z.strictObject({
  maintenance: z
    .strictObject({
      enabled: z.boolean().default(maintenance.enabled),
      hour: z.int().min(0).max(23).default(maintenance.hour),
    })
    .default(maintenance),
  retention: z
    .strictObject({ observationDays: z.number().min(1).max(36_500).default(retention.observationDays) })
    .default(retention),
  backup: z
    .strictObject({
      recipients: z.array(z.string().regex(/^age1/, 'must be an age recipient (age1...)')).default([]),
      to: z.string().min(1).optional(),
      command: z.array(z.string()).min(1).optional(),
      passEnv: z.array(z.string().min(1)).default([]),
      keep: z.int().min(1).max(10_000).default(backup.keep),
    })
    .optional(),
});

/** @param absolute relative to the file's folder */
export function databaseOf(given: z.output<typeof databaseSchema>, absolute: (path: string) => string): DatabaseConfig {
  const { to, command, ...rest } = given.backup ?? { ...backup, to: undefined, command: undefined };
  return {
    ...given,
    backup: { ...rest, to: to === undefined ? null : absolute(to), command: command ?? null },
  };
}
