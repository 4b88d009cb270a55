import type { Sharer, StartRequest } from '../canary/index.js';
import { LukhasError } from '../errors.js';
import type { Ledger } from '../ledger/index.js';
import { newHolder, takeLease } from '../ledger/index.js';
import type { Finding } from '../metrics/inspect/index.js';
import type { Canary } from '../readings/index.js';
import type { App } from './app.js';
import { authOf, environment } from './config.js';
import { firstLook, lineOf, refuseHopeless } from './first-look.js';
import { requireHookPrograms } from './hook-programs.js';
import { requireHookSecrets } from './hook-secrets.js';

export interface StartOptions extends Omit<StartRequest, 'notes'> {
  /** Starts although series are not there that a first look expects. */
  allowMissing?: boolean | undefined;
  /** Starts although an open canary reads the same series. */
  allowSharedSeries?: boolean | undefined;
}

export interface Started {
  canary: Canary;
  /** What the first look found; none of it is fatal. */
  firstLook: Finding[];
  /** In words. */
  warnings: string[];
}

/**
 * Starts a canary, once hooks, source and series are such that it can work; records what the first look found.
 * @throws LukhasError CONFIG (a hook), SOURCE_*, PROMQL, FIRST_LOOK (what can never work), SHARED_SERIES
 */
export async function startCanary(app: App, options: StartOptions): Promise<Started> {
  const { config, clock } = app;
  const { allowMissing = false, allowSharedSeries = false, ...request } = options;
  if (!request.dryRun) {
    requireHookSecrets(config.hooks, environment());
    await requireHookPrograms(config.hooks, environment(), config.sections['hooks'] ?? null);
  }
  const { source, policy, modelId, fromGate, toGate } = request;
  const auth = authOf(config, source);
  const look = await firstLook({ source, auth, now: clock.now, policy, modelId, fromGate, toGate });
  const findings = refuseHopeless(look.findings, allowMissing);
  const notes = findings.map((each) => (each.level === 'warning' ? `warning: ${lineOf(each)}` : lineOf(each)));
  if (look.alone) notes.unshift('warning: the canary does not answer, and its baseline does');
  const started = await recorded(app, { ...request, source: look.source, notes }, allowSharedSeries);
  const alone = look.alone ? [aloneWords(started.canary, config.hooks.rollback.length)] : [];
  const warnings = [...alone, ...(await hints(look.source)), ...findings.flatMap(warningOf), ...started.warnings];
  return { canary: started.canary, firstLook: findings, warnings };
}

/** Both readings of a canary that does not answer while its baseline does: it is down, or looked for in the wrong place. */
function aloneWords({ id, policy, dryRun }: Canary, hooks: number): string {
  const { max_unavailable: limit = 1 } = policy.targets;
  const { noDataSeconds, onNeverAnswered, reportOnly = [], warmupSeconds = 0, windowSeconds } = policy;
  const seconds = Math.min(noDataSeconds, windowSeconds) + warmupSeconds;
  const rollsBack = onNeverAnswered === 'rollback' && limit < 1 && !reportOnly.includes('availability');
  const called = hooks > 0 && !dryRun ? ' and the rollback hooks are called' : '';
  const end = rollsBack ? `it is rolled back after ${seconds} s${called}` : `it is not promoted`;
  return [
    `the canary does not answer, and its baseline does. If it is down and stays so, ${end}.`,
    `If its address or labels are wrong, end it now: lukhas canary abort ${id} --reason "wrong address"`,
  ].join(' ');
}

function warningOf(finding: Finding): string[] {
  if (finding.level !== 'warning') return [];
  return [finding.advice === undefined ? lineOf(finding) : `${lineOf(finding)}. ${finding.advice}`];
}

/** What is legal in signals and expressions, and misleads. */
async function hints(source: StartRequest['source']): Promise<string[]> {
  if (source.kind !== 'prometheus' && source.kind !== 'scrape') return [];
  const { parseSignals, signalWarnings } = await import('../metrics/signals/parse.js');
  const warnings = signalWarnings(parseSignals(source.signals));
  if (source.kind === 'scrape') return warnings;
  const { lintPromql } = await import('../metrics/promql/promql.js');
  const ofQueries = Object.entries(source.queries).flatMap(([name, query]) =>
    lintPromql(query).map((w) => `${name}: ${w}`),
  );
  return [...warnings, ...ofQueries];
}

/** Held from looking for others to the entry: of two that start at once, one sees the other. */
const STARTING = 'starting';
const STARTING_MS = 5000;

async function recorded(
  app: App,
  request: StartRequest,
  allowSharedSeries: boolean,
): Promise<{ canary: Canary; warnings: string[] }> {
  const { ledger, canaries } = app;
  if (request.source.kind !== 'scrape' && request.source.kind !== 'prometheus')
    return { canary: await canaries.start(request), warnings: [] };
  const { sharersOf } = await import('../canary/shared-series.js');
  const holder = newHolder();
  await holdStart(app, holder);
  try {
    const sharers = await sharersOf(ledger, request);
    if (sharers[0] !== undefined && !allowSharedSeries) throw sharedWith(sharers[0]);
    const warnings = sharers.map((sharer) => `${wordsOf(sharer)}: what is measured is not of one of them alone`);
    const notes = [...(request.notes ?? []), ...warnings.map((each) => `accepted: ${each}`)];
    const canary = await canaries.start({ ...request, notes }, [{ lease: STARTING, holder }]);
    return { canary, warnings };
  } finally {
    await ledger.releaseLease(STARTING, holder);
  }
}

async function holdStart({ ledger, clock }: { ledger: Ledger; clock: App['clock'] }, holder: string): Promise<void> {
  for (;;) {
    const again = await takeLease(ledger, STARTING, holder, clock, STARTING_MS);
    if (again === null) return;
    await clock.sleep(Math.min(ASK_AGAIN_MS, Math.max(1, again - clock.now())));
  }
}

const ASK_AGAIN_MS = 20;

function wordsOf({ canary, series }: Sharer): string {
  const { id, modelId, fromGate, toGate } = canary;
  return `canary ${id} (${modelId}, ${fromGate} → ${toGate}) reads the same series, ${series}`;
}

function sharedWith(sharer: Sharer): LukhasError {
  return new LukhasError('SHARED_SERIES', `${wordsOf(sharer)}: each would be judged by the requests of both`, {
    suggestions: [
      `Wait for it (lukhas canary status ${sharer.canary.id}) or end it (lukhas canary abort ${sharer.canary.id} --reason "...").`,
      'Or give labels that tell the two apart, e.g. arms: { canary: { model: "$__model" } }.',
      'To start all the same, pass --allow-shared-series; it is recorded.',
    ],
  });
}
