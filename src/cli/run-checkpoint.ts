import { resolve } from 'node:path';
import { openCheckpoints, publishCheckpoint } from '../lib/app/evidence/index.js';
import type { App } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';
import { parseCheckpoint, parseNote } from '../lib/evidence/formats/index.js';
import type { PublishResult } from '../lib/evidence/publish/index.js';
import type { Replaceable } from '../lib/files/index.js';
import { writeOutput } from '../lib/files/index.js';
import { ownerFor } from '../lib/process/index.js';
import { refuseOwnFiles } from './own-files.js';
import { type PublicationFlags, publicationOf } from './publication-flags.js';
import { block, type Styled } from './screen.js';

interface CheckpointResult {
  json: unknown;
  text: Styled;
  /** 0, or the exit code of what failed: 7 before others. */
  exit: number;
}

/** Signs the log, publishes the checkpoint, and reports the results. @throws LukhasError */
export async function runCheckpoint(
  app: App,
  flags: PublicationFlags & { out?: string | undefined; 'old-key'?: string | undefined },
): Promise<CheckpointResult> {
  if (flags.out !== undefined) await refuseOwnFiles(app.config, flags.out, '--out');
  const to = await publicationOf(flags, app.config);
  const oldKey = flags['old-key'];
  const previousKey = oldKey === undefined ? null : resolve(app.config.cwd, oldKey);
  const checkpoints = await openCheckpoints(app, { previousKey });
  const made = await checkpoints.make();
  const { checkpoint, results, refused } = await publishCheckpoint(app, checkpoints, made, { to });
  const { origin, size, note } = checkpoint;
  const root = checkpoint.root.toString('hex');
  if (flags.out !== undefined && !refused)
    await writeOutput(
      {
        path: resolve(app.config.cwd, flags.out),
        flag: '--out',
        kind: CHECKPOINT,
        owner: ownerFor(app.config.dbPath),
      },
      app.clock.now(),
      (file) => file.writeFile(note),
    );
  return {
    json: {
      origin,
      size,
      root,
      created: made.created,
      refused,
      folder: checkpoints.folder,
      note,
      told: results.map(publishResultJson),
    },
    text: block([
      `${made.created ? 'signed' : 'already signed'}: ${size} entries of ${origin}`,
      `  root  ${root}`,
      refused
        ? `  REFUSED by a witness, which has cosigned a different history: saved as ${checkpoints.folder}/${size}.refused and not used`
        : `  saved  ${checkpoints.folder}/${size}`,
      ...results.map(publishResultLine),
    ]),
    exit: Math.max(0, ...results.map(({ error }) => error?.exit ?? 0)),
  };
}

export function publishResultJson({ kind, place, done, error }: PublishResult) {
  return { kind, place, done, error: error && { code: error.code, message: error.message } };
}

function publishResultLine({ kind, place, done, error }: PublishResult): string {
  return error === null ? `  ${kind}  ${place}: ${done}` : `  ${kind}  FAILED: ${error.message}`;
}

const CHECKPOINT: Replaceable = { what: 'checkpoint', isOne: isCheckpoint, force: null };

function isCheckpoint(bytes: Buffer): boolean {
  try {
    parseCheckpoint(parseNote(bytes).text);
    return true;
  } catch (error) {
    if (error instanceof LukhasError) return false;
    throw error;
  }
}
