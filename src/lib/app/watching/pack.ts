import { join } from 'node:path';
import type { Clock } from '../../clock.js';
import { LukhasError } from '../../errors.js';
import { type Ledger, notInLog, type SeqRange, type StoredEvent } from '../../ledger/index.js';
import { openApp } from '../app.js';
import type { Config } from '../config.js';

interface Place {
  ledger: Ledger;
  config: Config;
  clock: Clock;
  /** Of lukhas. */
  version: string;
}

/** What named the path of a pack, in messages. */
export const PACK_FLAG = 'evidence pack';

/** Of the same canary always the same: a newer pack takes the place of an older one. */
export function packPath(folder: string, id: string): string {
  return join(folder, `lukhas-evidence-${id}.zip`);
}

/** A canary's evidence: all that was logged of its model since it was requested. @throws LukhasError NOT_FOUND */
export function packRequest(id: string, requested: StoredEvent | undefined): { from: string; models: string[] } {
  if (requested?.kind === 'canary.requested') return { from: requested.ts, models: [requested.data.modelId] };
  throw notInLog(id, { one: 'canary', list: 'lukhas canary list' });
}

/**
 * Writes what `lukhas export` writes of a canary.
 * @returns the pack's path
 * @throws LukhasError as that command; its failure is recorded in the log where that is possible
 */
export async function exportLocally(place: Place, id: string, folder: string, signal: AbortSignal): Promise<string> {
  const { EvidenceExport } = await import('../evidence/export.js');
  const request = packRequest(id, (await place.ledger.events({ subject: id, limit: 1 }))[0]);
  const path = packPath(folder, id);
  let range: SeqRange | null = null;
  try {
    const pack = await EvidenceExport.prepare(place, request, { askWitnesses: true, signal });
    range = pack.range;
    await pack.writeFile(path, { signal, flag: PACK_FLAG });
    return path;
  } catch (error) {
    if (!(error instanceof LukhasError && error.code === 'USAGE'))
      await record(place.config, { range, error, interrupted: signal.aborted });
    throw error;
  }
}

/** On a connection that may write. What cannot be recorded either has been said already, by the error itself. */
async function record(
  config: Config,
  failure: { range: SeqRange | null; error: unknown; interrupted: boolean },
): Promise<void> {
  const { recordFailure } = await import('../evidence/export.js');
  const app = await openApp({ config, mustExist: true }).catch(() => null);
  if (app === null) return;
  await recordFailure(app, { by: config.actor, ...failure }).catch(() => undefined);
  await app.close();
}
