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

/** Progress is told when it takes long, and then this often. */
const PROGRESS_MS = 2_000;

/**
 * Exports to a file, reading the log only, once the witnesses of the configuration were asked; the pack is written without
 * those that do not cosign. When it fails, the log says so, where that can be written.
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
      pack = await Export.prepare({ ledger, config, clock, version }, request, { tell: true, prefix: '--', signal });
      for (const { role, path } of pack.madeKeys) say(`made the ${role} key ${path}: keep it secret and safe`);
      if (pack.madeKeys.length > 0) say('give the public keys to whoever will verify: lukhas keys show');
      signal.throwIfAborted();
      for (const { error } of pack.told) if (error !== null) say(`not cosigned: ${error.message}`);
      if ((await pack.entries()) === 0)
        say('no entry of the log is in this window and of what was asked for: the pack shows none');
      const summary = await pack.writeFile(out, { force, signal, onEntries: progress(say) });
      return { ...summary, told: pack.told.map(publishResultJson) };
    } catch (error) {
      const { exit } = interrupt;
      if (pack !== null || exit !== null)
        await told(app.config, pack?.range ?? null, { error, interrupted: exit !== null }, say);
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

/** On a connection that may write; that it cannot be recorded is said beside what failed, not instead of it. */
async function told(
  config: Config,
  range: SeqRange | null,
  { error, interrupted }: { error: unknown; interrupted: boolean },
  say: (message: string) => void,
): Promise<void> {
  // What was asked for wrongly is no failure of the export.
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
    say(`lukhas: that the export failed could not be recorded: ${(cause as Error).message}`);
  }
}

/** @throws LukhasError USAGE when nothing was ever recorded there */
export async function refuseMissingLog(dbPath: string): Promise<void> {
  try {
    await stat(dbPath);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new LukhasError('USAGE', `There is no log at ${dbPath}: nothing has been recorded yet.`, {
      suggestions: ['Is it in another database? Pass --db or set LUKHAS_MCP_DB.'],
    });
  }
}
