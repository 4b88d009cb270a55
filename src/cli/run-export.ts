import { stat } from 'node:fs/promises';
import type { EvidenceExport, ExportRequest, ExportSummary } from '../lib/app/evidence/index.js';
import type { App, Config } from '../lib/app/index.js';
import { LukhasError } from '../lib/errors.js';
import type { SeqRange } from '../lib/ledger/index.js';
import { interruptible } from './interrupt.js';
import { refuseOwnFiles } from './own-files.js';
import { publishResultJson } from './run-checkpoint.js';

interface Wanted {
  request: ExportRequest;
  out: string;
  force: boolean;
  /** Of lukhas. */
  version: string;
  say(message: string): void;
}

/** Progress is shown this often. */
const PROGRESS_MS = 2_000;

/**
 * Exports to a file, after asking the configured witnesses to cosign; a witness that fails does not stop the export. A failed
 * export is recorded in the log where possible.
 * @throws LukhasError as `EvidenceExport`
 */
export async function runExport(app: App, wanted: Wanted): Promise<ExportSummary & { told: object[] }> {
  const { EvidenceExport: Export } = await import('../lib/app/evidence/export.js');
  const { request, out, force, version, say } = wanted;
  await refuseOwnFiles(app.config, out, '--out');
  await Export.refuseTarget(out, force);
  const { ledger, config, clock } = app;
  return interruptible(async (interrupt) => {
    const { signal } = interrupt;
    let pack: EvidenceExport | null = null;
    try {
      const place = { ledger, config, clock, version };
      pack = await Export.prepare(place, request, { askWitnesses: true, prefix: '--', signal });
      for (const { role, path } of pack.createdKeys)
        say(`created the ${role} key ${path}: keep it secret, and back it up`);
      if (pack.createdKeys.length > 0) say('give the public keys to the people who verify packs: lukhas keys show');
      signal.throwIfAborted();
      for (const { error } of pack.witnessResults) if (error !== null) say(`not cosigned: ${error.message}`);
      if ((await pack.entries()) === 0) say('no entries match this window and filter: the pack contains none');
      if (pack.tellsCredentials)
        say(
          'warning: the pack tells a credential, in the address of a source as it was recorded: replace the credential',
        );
      const summary = await pack.writeFile(out, { force, signal, onEntries: progress(say) });
      return { ...summary, told: pack.witnessResults.map(publishResultJson) };
    } catch (error) {
      const { exit } = interrupt;
      if (pack !== null || exit !== null)
        await record(app.config, pack?.range ?? null, { error, interrupted: exit !== null }, say);
      if (exit === null) throw error;
      throw new LukhasError('EXPORT_FAILED', `interrupted; nothing was written to ${out}`, { exit, cause: error });
    }
  });
}

function progress(say: (message: string) => void) {
  let next = performance.now() + PROGRESS_MS;
  return (file: string, done: number, total: number) => {
    const now = performance.now();
    if (now < next) return;
    next = now + PROGRESS_MS;
    say(`${file}: ${done.toLocaleString('en')} of ${total.toLocaleString('en')} entries`);
  };
}

/** Records the failure, on a connection that may write. When that fails too, both errors are shown. */
async function record(
  config: Config,
  range: SeqRange | null,
  { error, interrupted }: { error: unknown; interrupted: boolean },
  say: (message: string) => void,
): Promise<void> {
  // A usage error is not a failed export.
  if (error instanceof LukhasError && error.code === 'USAGE') return;
  const [{ openApp }, { recordFailure }] = await Promise.all([
    import('../lib/app/app.js'),
    import('../lib/app/evidence/export.js'),
  ]);
  try {
    const app = await openApp({ config });
    try {
      await recordFailure(app, { by: config.actor, range, interrupted, error });
    } finally {
      await app.close();
    }
  } catch (cause) {
    say(`lukhas: the failed export could not be recorded: ${(cause as Error).message}`);
  }
}

/** @throws LukhasError USAGE when there is no database there */
export async function refuseMissingLog(dbPath: string): Promise<void> {
  try {
    await stat(dbPath);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new LukhasError('USAGE', `No log at ${dbPath}: nothing has been recorded yet.`, {
      suggestions: ['If the log is elsewhere, pass --db PATH or set LUKHAS_MCP_DB.'],
    });
  }
}
