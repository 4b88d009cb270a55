import type { EvidenceRequest } from '../lib/app/evidence/index.js';
import type { Config } from '../lib/app/index.js';
import { systemClock } from '../lib/clock.js';
import { LukhasError } from '../lib/errors.js';
import type { Entry, EvidenceReport } from '../lib/evidence/verify/index.js';
import { quote } from '../lib/input/index.js';
import { advice } from './advice.js';
import { block, type Styled } from './screen.js';

export interface VerifyFlags {
  db?: string | undefined;
  config?: string | undefined;
  'expect-root'?: string | undefined;
  trust?: string[] | undefined;
  since?: string | undefined;
}

export interface Verified {
  ok: boolean;
  text: Styled;
  json: object;
}

/**
 * Verifies a file or, without one, the database.
 * @throws LukhasError USAGE, CONFIG, LEDGER_*
 */
export function runVerify(file: string | undefined, flags: VerifyFlags): Promise<Verified> {
  const expected = flags['expect-root'] === undefined ? null : rootHash(flags['expect-root']);
  if (file === undefined) return verifyDatabase(flags, expected);
  if (expected !== null) throw new LukhasError('USAGE', '--expect-root works with the database only, not with a file.');
  return verifyFile(file, flags);
}

async function verifyFile(file: string, flags: VerifyFlags): Promise<Verified> {
  const { verifyEvidence } = await import('../lib/app/evidence/verify-file.js');
  const db = flags.db === undefined ? null : (await configOf(flags)).dbPath;
  const report = await verifyEvidence(file, { ...trustOf(flags), db });
  // Without trusted keys, a forgery with the forger's own keys would look the same.
  const good = flags.trust === undefined ? 'self-consistent; signer not verified (no --trust)' : 'verified';
  const about = report.type === 'proof' && report.entry !== null ? [entryLine(report.entry)] : [];
  const lines = [`${headline(report, good)}: ${file}`, ...about, ...listed(report)];
  return { ok: report.ok, text: block(lines), json: { ...report, file } };
}

async function verifyDatabase(flags: VerifyFlags, expected: string | null): Promise<Verified> {
  const { since } = flags;
  if (since === undefined && flags.trust !== undefined) {
    throw new LukhasError('USAGE', '--trust needs a pack, a proof or --since: a database is not signed.');
  }
  const config = await configOf(flags);
  const { verifyInPlace } = await import('../lib/app/evidence/verify-file.js');
  const report = await verifyInPlace(config, trustOf(flags));
  const isOther = expected !== null && expected !== report.root;
  const problems = isOther ? [...report.problems, 'root does not match --expect-root'] : report.problems;
  const notChecked =
    since === undefined && expected === null ? [...report.notChecked, WITHOUT_CHECKPOINT] : report.notChecked;
  const problemCount = report.problemCount + (isOther ? 1 : 0);
  const final = { ...report, ok: report.ok && !isOther, problems, problemCount, notChecked };
  const about = [`  entries  ${report.size}`, `  root     ${report.root}`];
  // Not where something else failed too, such as a checkpoint.
  if (report.logHolds && problemCount > 0 && problemCount === report.tableProblemCount)
    about.push('  the log holds; the tables beside it do not match it');
  if (report.firstBad) about.push(`  first bad entry  ${report.firstBad.seq}: ${report.firstBad.what}`);
  const lines = [`${headline(final, 'verified')}: ${config.dbPath}`, ...about, ...listed(final)];
  return { ok: final.ok, text: block(lines), json: { ...final, db: config.dbPath } };
}

const WITHOUT_CHECKPOINT =
  'whether the log was rewritten, or restored together with the checkpoints beside it: pass a checkpoint that was kept elsewhere: --since FILE';

async function configOf(flags: VerifyFlags): Promise<Config> {
  const { loadConfig } = await import('../lib/app/config.js');
  return loadConfig({ flags: { db: flags.db, config: flags.config } });
}

function trustOf({ trust, since }: VerifyFlags): Omit<EvidenceRequest, 'db'> {
  return { trust: trust ?? [], since: since ?? null, clock: systemClock() };
}

function headline({ ok, problemCount }: EvidenceReport, good: string): string {
  if (ok) return good;
  return problemCount > 0 ? 'VERIFICATION FAILED' : 'NOT PROVEN';
}

function entryLine({ seq, ts, kind, subject, data }: Entry): string {
  const { decision } = (data['verdict'] ?? {}) as { decision?: unknown };
  const verdict = typeof decision === 'string' ? `  ${JSON.stringify(decision)}` : '';
  return `  entry ${seq}  ${ts}  ${kind}  ${JSON.stringify(subject)}${verdict}`;
}

function listed(found: EvidenceReport): string[] {
  const more = found.problemCount - found.problems.length;
  return [
    ...found.problems.map((text) => `  problem  ${advice(text)}`),
    ...(more > 0 ? [`  problem  and ${more} more`] : []),
    ...found.notShown.map((text) => `  not proven  ${text}`),
    ...found.holds.map((text) => `  verified  ${text}`),
    ...found.notChecked.map((text) => `  not checked  ${advice(text)}`),
  ];
}

/** @throws LukhasError USAGE */
function rootHash(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new LukhasError('USAGE', `--expect-root ${quote(text)}: must be 64 hexadecimal digits`, {
    suggestions: ['Copy the root from the output of an earlier `lukhas verify`.'],
  });
}
