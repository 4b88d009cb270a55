import { systemClock } from '../lib/clock.js';
import { LukhasError } from '../lib/errors.js';
import type { Policy } from '../lib/judge/index.js';
import type { Replay } from '../lib/replay/index.js';
import { requestOf, selectionOf, timesOf } from './replay-flags.js';

type ReplayFlags = Parameters<typeof selectionOf>[0] & { db?: string | undefined; config?: string | undefined };

/**
 * Replays what the flags select.
 * @param say told, in words, when there is no log yet
 */
export async function runReplay(flags: ReplayFlags, say: (message: string) => void): Promise<Replay> {
  const request = await requestOf(flags);
  if (flags.source !== undefined) return replayPast(flags, request, say);
  const { replayInput, replayLog } = await import('../lib/app/replay.js');
  if (flags.input !== undefined) {
    const own = await policyAsItStands(request);
    return replayInput({ input: flags.input, modelId: flags.model ?? null, own }, request);
  }
  const clock = systemClock();
  const selection = await selectionOf(flags, clock.now());
  const { loadConfig } = await import('../lib/app/config.js');
  const { dbPath } = await loadConfig({ flags: { db: flags.db, config: flags.config } });
  // A path that was just typed is a mistake when nothing is there; the usual place may be empty still.
  const replayed = await replayLog(dbPath, clock, selection, request, { mustExist: flags.db !== undefined });
  if (replayed.result.log === null) say(`no log at ${dbPath} yet: nothing has been recorded`);
  return replayed;
}

type Request = Awaited<ReturnType<typeof requestOf>>;

/** Nothing says under which policy it was recorded: what is changed is compared with the file as it stands. */
async function policyAsItStands({ given, settings, axes }: Request): Promise<Policy | null> {
  if (settings.length + axes.length === 0) return null;
  const { counterfactualPolicy } = await import('../lib/replay/change-policy.js');
  return counterfactualPolicy(given, null, []);
}

const USUAL_GATES = { from: 'stage', to: 'production' };

async function replayPast(flags: ReplayFlags, request: Request, say: (message: string) => void): Promise<Replay> {
  if (flags.source !== 'prometheus')
    throw new LukhasError('USAGE', `--source ${flags.source}: must be prometheus, the only source with a past.`, {
      suggestions: ['Pass --source prometheus, or observations in a file: --input FILE.'],
    });
  const clock = systemClock();
  const { from, to } = await timesOf(flags, clock.now());
  const [{ loadConfig }, { sourceFromFlags }, { lintPromql }, { replayPrometheus }] = await Promise.all([
    import('../lib/app/config.js'),
    import('./source-flags.js'),
    import('../lib/metrics/promql/promql.js'),
    import('../lib/app/replay-prometheus.js'),
  ]);
  const config = await loadConfig({ flags: { db: flags.db, config: flags.config } });
  const source = sourceFromFlags({ source: flags.source, 'prom-url': flags['prom-url'] }, config);
  if (from === null || flags.model === undefined || source.kind !== 'prometheus')
    throw new LukhasError('USAGE', '--source prometheus needs --from TIME and --model MODEL.');
  const { kind: _, ...prometheus } = source;
  for (const [name, query] of Object.entries(source.queries))
    for (const warning of lintPromql(query)) say(`warning: ${name}: ${warning}`);
  const selection = {
    config: prometheus,
    auth: config.sourceAuth.prometheus,
    modelId: flags.model,
    fromGate: flags['from-gate'] ?? USUAL_GATES.from,
    toGate: flags['to-gate'] ?? USUAL_GATES.to,
    from,
    to,
    own: await policyAsItStands(request),
  };
  return replayPrometheus(selection, clock, request);
}
