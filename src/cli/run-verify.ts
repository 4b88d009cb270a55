import { LukhasError } from '../lib/errors.js';
import { quote } from '../lib/input/problems.js';
import type { Config } from '../lib/runtime/config.js';
import type { EvidenceRequest } from '../lib/runtime/evidence-verification.js';

export interface VerifyFlags {
  db?: string | undefined;
  config?: string | undefined;
  'expect-root'?: string | undefined;
  trust?: string[] | undefined;
  since?: string | undefined;
}

export interface Verified {
  ok: boolean;
  lines: string[];
  json: object;
}

/**
 * Verifies what is asked for: a file, or without one the database.
 * @throws LukhasError USAGE, CONFIG, LEDGER_*
 */
export function runVerify(file: string | undefined, flags: VerifyFlags): Promise<Verified> {
  const expected = flags['expect-root'] === undefined ? null : rootHash(flags['expect-root']);
  if (file === undefined) return verifyDatabase(flags, expected);
  if (expected !== null) throw new LukhasError('USAGE', '--expect-root goes with the database, not with a file.');
  return verifyFile(file, flags);
}

async function verifyFile(file: string, flags: VerifyFlags): Promise<Verified> {
  const { verifyEvidence } = await import('../lib/runtime/evidence-verification.js');
  const db = flags.db === undefined ? null : (await configOf(flags)).dbPath;
  const report = await verifyEvidence(file, { ...trustOf(flags), db });
  const { ok, holds, problems, problemCount, notChecked } = report;
  const about = report.type === 'proof' && report.entry !== null ? [entryLine(report.entry)] : [];
  const lines = [headline(ok, file), ...about, ...listed({ holds, problems, problemCount, notChecked })];
  return { ok, lines, json: { ...report, file } };
}

async function verifyDatabase(flags: VerifyFlags, expected: string | null): Promise<Verified> {
  const { since } = flags;
  if (since === undefined && flags.trust !== undefined) {
    throw new LukhasError('USAGE', '--trust goes with a pack, a proof, or --since: a database is not signed.');
  }
  const config = await configOf(flags);
  const { verifyAll } = await import('../lib/runtime/verification.js');
  const report = await verifyAll(config.dbPath);
  const then = since === undefined ? null : await sinceOf(config, report, { ...trustOf(flags), since });
  const rootMatches = expected === null || expected === report.root;
  const ok = report.ok && rootMatches && (then?.ok ?? true);
  const problems = [...report.problems, ...(then?.problems ?? [])];
  const notChecked = [...report.notChecked, ...(then?.notChecked ?? [])];
  if (since === undefined && expected === null)
    notChecked.push(
      'whether the log was written anew or set back to an older copy: give a checkpoint that was kept elsewhere: --since FILE',
    );
  const lines = [headline(ok, config.dbPath), `  entries  ${report.size}`, `  root     ${report.root}`];
  if (report.firstBad) lines.push(`  first bad entry  ${report.firstBad.seq}: ${report.firstBad.what}`);
  const rootProblem = rootMatches ? [] : ['the root is not the one expected'];
  const problemCount = report.problemCount + (then?.problemCount ?? 0);
  const shown = { holds: then?.holds ?? [], problems: [...problems, ...rootProblem], notChecked };
  lines.push(...listed({ ...shown, problemCount: problemCount + rootProblem.length }));
  const json = { ...report, ok, problems, problemCount, notChecked, ...(then && { holds: then.holds }) };
  return { ok, lines, json: { ...json, db: config.dbPath } };
}

async function sinceOf(
  config: Config,
  report: Parameters<typeof import('../lib/runtime/evidence-verification.js').verifySince>[1],
  request: Pick<EvidenceRequest, 'trust'> & { since: string },
) {
  const { verifySince } = await import('../lib/runtime/evidence-verification.js');
  return verifySince(config, report, request);
}

async function configOf(flags: VerifyFlags): Promise<Config> {
  const { loadConfig } = await import('../lib/runtime/config.js');
  return loadConfig({ flags: { db: flags.db, config: flags.config } });
}

function trustOf({ trust, since }: VerifyFlags): Pick<EvidenceRequest, 'trust' | 'since'> {
  return { trust: trust ?? [], since: since ?? null };
}

function headline(ok: boolean, what: string): string {
  return `${ok ? 'holds' : 'DOES NOT HOLD'}: ${what}`;
}

function entryLine({ seq, ts, kind, subject }: { seq: number; ts: string; kind: string; subject: string }): string {
  return `  entry ${seq}  ${ts}  ${kind}  ${JSON.stringify(subject)}`;
}

function listed(found: { holds: string[]; problems: string[]; problemCount: number; notChecked: string[] }): string[] {
  const more = found.problemCount - found.problems.length;
  return [
    ...found.problems.map((text) => `  problem  ${text}`),
    ...(more > 0 ? [`  problem  and ${more} more`] : []),
    ...found.holds.map((text) => `  holds  ${text}`),
    ...found.notChecked.map((text) => `  not checked  ${text}`),
  ];
}

/** @throws LukhasError USAGE */
function rootHash(text: string): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  throw new LukhasError('USAGE', `--expect-root: a root is 64 hexadecimal digits, not ${quote(text)}`, {
    suggestions: ['Copy the root that an earlier lukhas verify printed.'],
  });
}
